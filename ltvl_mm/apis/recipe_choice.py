"""Choice of the training recipe for a config with retrieved images."""

from pathlib import Path
from typing import TYPE_CHECKING

from ltvl_mm.apis.recipe_description import describe_training
from ltvl_mm.apis.retrieved_training import add_retrieved_images
from ltvl_mm.apis.training_recipe import (
    AUTO,
    Recipe,
    apply_recipe,
    find_retrieved_dataset,
    parse_recipe,
)
from ltvl_mm.models.losses.mixed_labels import weighs_retrieved
from ltvl_mm.structures.dilution import FIT_TO_VAL

if TYPE_CHECKING:
    from mmengine.config import Config

# Source of a temperature that is not fitted to val -> its name in the log.
_TEMPERATURES = {
    'given': 'a temperature that was given',
    'encoder': "the encoder's own temperature",
    None: 'a temperature whose source an earlier version did not record',
}


def use_retrieved_images(
    cfg: 'Config',
    manifest: str | Path | None = None,
    recipe: str | None = None,
) -> list[str]:
    """Apply the options ``--retrieved`` and ``--recipe`` to a config.

    Args:
        cfg: Config of a training; all of its options are merged.
        manifest: Manifest whose images are added to the training set; None
            for a config that has retrieved images itself, or no recipe.
        recipe: Text of :func:`use_recipe`; None for ``'auto'``, and
            without a manifest for the config as it is written.

    Returns:
        Sentences for the log.

    Raises:
        ValueError: As :func:`.add_retrieved_images` and :func:`use_recipe`.
    """
    if manifest is None and recipe is None:
        return []
    notes = []
    if manifest is not None:
        add_retrieved_images(cfg, manifest)
        notes.append(
            f'--retrieved: trains on the target data set and the retrieved '
            f'images of {manifest}'
        )
    return [*notes, use_recipe(cfg, recipe or AUTO)]


def use_recipe(cfg: 'Config', text: str = AUTO) -> str:
    """Apply a recipe to a config with retrieved images.

    Args:
        cfg: Config whose training set is, or holds, a ``TACKLEDataset``.
        text: ``'auto'``, or as :func:`.parse_recipe` takes it.

    Returns:
        A sentence for the log: the recipe, why, and how the config trains.

    Raises:
        ValueError: As :func:`.parse_recipe` and :func:`.apply_recipe`.
    """
    if text == AUTO:
        recipe, reason = choose_recipe(cfg)
        start = f'recipe {AUTO} chooses {recipe.name}, because {reason}'
    else:
        recipe = parse_recipe(text)
        start = f'recipe {recipe.name}'
    apply_recipe(cfg, recipe)
    cfg.recipe = recipe.name  # for RunRecordHook
    return f'{start}: {describe_training(cfg)}'


def choose_recipe(cfg: 'Config') -> tuple[Recipe, str]:
    """Return the recipe that suits a config, and the reason.

    Improbable images are left out, whatever the loss. With a student of the
    emoji world and cross-entropy, topped up to 300 images a class of which
    68 % are right, that reached 59.7 % over all classes (mean of three seeds);
    with weights of p_k 51.2 %, and with all images alike 50.7 %.
    If background names made the probabilities small at a temperature that is
    not fitted to val, they carry no information, and all images are used; so
    they are if no image is probable.

    Args:
        cfg: Config whose training set is, or holds, a ``TACKLEDataset``.

    Raises:
        ValueError: If there are no retrieved images, no such manifest, or
            the manifest is empty.
    """
    # Imports pyarrow: a training without retrieved images starts faster.
    from ltvl_mm.structures.manifest_file import load_manifest

    dataset = find_retrieved_dataset(cfg)
    file = dataset['manifest']
    manifest = load_manifest(file)
    if not len(manifest):
        raise ValueError(
            f'the manifest {file} lists no images, so there is no recipe to '
            f'choose; retrieve again with a larger budget or fewer filters, '
            f'or train without --retrieved'
        )
    if not manifest.has_probabilities:
        return parse_recipe('plain'), (
            f'{manifest.name} has scores of {manifest.source.get("score")!r} '
            f'and no probabilities'
        )
    if weighs_retrieved(cfg):
        return parse_recipe('plain'), 'the config weights retrieved images'
    if dataset.get('min_probability'):
        return parse_recipe('plain'), (
            'the config leaves out improbable images itself'
        )
    filtered = parse_recipe('filtered')
    least = filtered.min_probability
    kept = manifest.count_probable(least)
    if manifest.is_diluted(kept):
        return parse_recipe('plain'), (
            f'background names made the probabilities small ({kept} of '
            f'{len(manifest)} images have {least:g} or more, at '
            f'{_TEMPERATURES[manifest.temperature_source]}); retrieve with '
            f'{FIT_TO_VAL}, which fits them to val, to have improbable images '
            f'left out'
        )
    if not kept:
        return parse_recipe('plain'), (
            f'none of the {len(manifest)} images has a probability of '
            f'{least:g} or more (the largest is '
            f'{manifest.probabilities.max():.3g}); '
            f'check the retrieval with '
            f'tools/analysis_tools/check_retrieval.py'
        )
    return filtered, 'improbable images often show another class'
