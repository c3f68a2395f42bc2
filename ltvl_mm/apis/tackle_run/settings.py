"""Settings of a run, checked before anything else."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from ltvl_mm.apis.training_recipe import AUTO, parse_recipe
from ltvl_mm.clip.sources import has_own_weights
from ltvl_mm.retrieval.budget import AUTO as AUTO_BUDGET
from ltvl_mm.structures.class_names import (
    load_class_names,
    rename_classes,
    write_class_names,
)
from ltvl_mm.structures.image_list import write_image_list
from ltvl_mm.utils.io import read_json, write_json

if TYPE_CHECKING:  # it imports the readers of photos
    from ltvl_mm.apis.tackle_run.photo_splits import PhotoSplits

METHODS = ('student', 'tackle', 'ballad', 'zero_shot')
DEFAULT_CLIP = 'ViT-B-16-quickgelu:openai'


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """Options of a run, as ``tools/run_tackle.py`` takes them.

    Args:
        methods: Some of METHODS.
        student: mmpretrain model name, or config.
        pretrained_student: True for mmpretrain's weights, or a file or
            address; False for random weights.
        clip: ``ARCH:TAG_OR_FILE``, or a ``local-dir:`` or ``hf-hub:`` name.
        preprocess: Override as in ``tools/embed_images.py --preprocess``; None
            for that of the weights.
        templates: ``'single'``, ``'openai_80'`` or a file.
        budget: Images per class, as ``tools/retrieve.py --budget``.
        min_probability: Minimum softmax probability in [0, 1]; see
            ``tools/retrieve.py --min-probability``.
        min_precision: Minimum mean probability of the images of a class, in
            [0, 1), with budget ``'auto'``; None for the default of
            ``tools/retrieve.py``.
        recipe: Recipe for training on retrieved images, as in ``tools/train.py
            --recipe``.
        temperature: ``'auto'`` for one that is fitted to val, or a number;
            None for ``'auto'`` if background names are used and there are 50
            val images, else CLIP's own.
        background: Value of ``tools/retrieve.py --background``.
        root: Folder of the paths in lists; None for the lists' own.
        class_names: File of names; None for those of the photos.
        image_size: Side in pixels; None for one that suits the photos.
        epochs: Epochs of the student; None for a number that suits the data.
        iterations: Iterations instead of epochs.
        batch_size: Images of an iteration, of all GPUs together.
        device: ``'cpu'`` or ``'cuda'``; None for CUDA if there is a GPU.
        gpus: GPUs (with ``'cpu'``, processes) that train and embed.
        seed: Seed of splits and trainings.
        stop_on_warning: Stop before training if the retrieval cannot help.

    Raises:
        ValueError: If a value is none of these.
    """

    methods: tuple[str, ...] = ('student', 'tackle', 'zero_shot')
    student: str = 'resnet50'
    pretrained_student: bool | str = False
    clip: str = DEFAULT_CLIP
    preprocess: str | None = None
    templates: str = 'openai_80'
    budget: str = 'balance_to:300'
    min_probability: float = 0.5
    min_precision: float | None = None
    recipe: str = AUTO
    temperature: float | str | None = None
    background: str = 'auto'
    root: Path | None = None
    class_names: Path | None = None
    image_size: int | None = None
    epochs: int | None = None
    iterations: int | None = None
    batch_size: int | None = None
    device: str | None = None
    gpus: int = 1
    seed: int = 0
    stop_on_warning: bool = False

    def __post_init__(self) -> None:
        """Check values that need no file."""
        unknown = [name for name in self.methods if name not in METHODS]
        if unknown or not self.methods:
            raise ValueError(
                f'methods must be some of {", ".join(METHODS)}, got '
                f'{", ".join(self.methods) or "none"}'
            )
        if self.device not in (None, 'cpu', 'cuda'):
            raise ValueError(
                f'device must be cpu or cuda, got {self.device!r}'
            )
        if self.device == 'cuda' and not torch.cuda.is_available():
            raise ValueError(
                'there is no GPU that torch can use; leave out --device, or '
                'say --device cpu'
            )
        if self.recipe != AUTO and parse_recipe(self.recipe).soft_labels:
            raise ValueError(
                f'recipe {self.recipe!r} needs soft labels, which a run does '
                f'not compute; choose another, or continue by hand with '
                f'tools/analysis_tools/label_retrieved.py and tools/train.py'
            )
        if self.min_precision is not None and self.budget != AUTO_BUDGET:
            raise ValueError(
                f'min_precision={self.min_precision:g} bounds the images of '
                f"budget 'auto', and the budget is {self.budget!r}; give "
                f'--budget auto, or --min-probability'
            )
        if self.gpus < 1:
            raise ValueError(f'gpus must be at least 1, got {self.gpus}')
        if self.image_size is not None and self.image_size < 8:
            raise ValueError(
                f'image_size must be at least 8 pixels, got {self.image_size}'
            )

    @property
    def uses_cuda(self) -> bool:
        """True if trainings and CLIP run on a GPU."""
        return self.device != 'cpu' and torch.cuda.is_available()

    @property
    def arch(self) -> str:
        """CLIP's architecture."""
        return split_clip(self.clip)[0]

    @property
    def pretrained(self) -> str | None:
        """CLIP's weights: tag or absolute path; None if ``arch`` has them."""
        return split_clip(self.clip)[1]


@dataclass(frozen=True, kw_only=True)
class RunSettings(RunOptions):
    """Options of a run with its inputs and output folder.

    Args:
        photos: Folder or lists, see
            :func:`ltvl_mm.apis.tackle_run.photo_splits.read_photos`.
        out: Output folder.
        web: Stores of web images, or tars, parquet files and folders that
            are embedded; empty without retrieval.

    Raises:
        ValueError: If there are no web images for TACKLE, or a value is none
            of its option.
    """

    photos: tuple[Path, ...]
    out: Path
    web: tuple[Path | str, ...] = ()

    def __post_init__(self) -> None:
        """Check values that need no file."""
        if 'tackle' in self.methods and not self.web:
            raise ValueError(
                'tackle needs web images: give --web STORE, tars or a folder '
                'of images, or leave it out of --methods'
            )
        super().__post_init__()

    @property
    def lists(self) -> Path:
        """Folder of the lists and class names."""
        return self.out / 'lists'


def split_clip(text: str) -> tuple[str, str | None]:
    """Split the name of a CLIP into its architecture and weights.

    Paths of existing files become absolute.

    Args:
        text: ``ARCH:TAG_OR_FILE``, or a name that includes weights
            (``local-dir:FOLDER`` or ``hf-hub:NAME``).

    Returns:
        Architecture (or path of its ``.json`` file); and the tag or file of
        the weights, None if ``text`` is a name that includes weights.

    Raises:
        ValueError: If ``text`` has neither form.
    """
    if has_own_weights(text):
        return text, None
    arch, colon, weights = text.partition(':')
    if not (arch and colon and weights):
        raise ValueError(
            f'clip must be ARCH:TAG_OR_FILE, such as {DEFAULT_CLIP} or '
            f'ViT-B-32:my_clip.pt, or a local-dir: or hf-hub: name; got '
            f'{text!r}'
        )
    if arch.endswith('.json'):
        arch = os.path.abspath(arch)
    if Path(weights).exists():
        weights = os.path.abspath(weights)
    return arch, weights


def plan_names(out: Path, names: Sequence[str]) -> tuple[str, ...]:
    """Return the class names of a run, with the edits of the user.

    ``class_names.txt`` may be edited between runs. If the classes of the
    photos have changed since, edited names stay with their class.

    Args:
        out: Folder of the lists.
        names: K names, as the photos give them.

    Raises:
        ValueError: If the edited file has another number of names.
    """
    file, record = out / 'class_names.txt', out / 'names_of_photos.json'
    if not file.is_file() or not record.is_file():
        return tuple(names)
    edited, before = load_class_names(file), read_json(record)
    if len(edited) != len(before):
        raise ValueError(
            f'{file} has {len(edited)} names for {len(before)} classes; write '
            f'one name per line, in the order of names_of_photos.json beside '
            f'it, or delete the file'
        )
    return rename_classes(names, before, edited)


def write_run_lists(
    out: Path, splits: 'PhotoSplits', names: Sequence[str]
) -> None:
    """Write lists and names of a run; equal files keep their times.

    Args:
        out: Folder of the lists.
        splits: Result of
            :func:`ltvl_mm.apis.tackle_run.photo_splits.read_photos`.
        names: Result of :func:`plan_names`.
    """
    for split, images in splits.lists.items():
        write_image_list(out / f'{split}.txt', images)
    write_class_names(out / 'class_names.txt', names)
    write_json(out / 'names_of_photos.json', list(splits.names))
