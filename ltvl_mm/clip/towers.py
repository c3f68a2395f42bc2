"""CLIP models by architecture name: the only file that calls open_clip."""

import difflib
import hashlib
import logging
from pathlib import Path

import open_clip
from mmengine.logging import print_log
from open_clip.convert import convert_state_dict
from open_clip.model import convert_to_custom_text_state_dict
from torch import nn

from ltvl_mm.clip.families import (
    adapt_state,
    check_transformers,
    explain_hub_error,
    keep_towers,
    rename_our_checkpoint,
)
from ltvl_mm.clip.sources import (
    check_merges,
    find_own_weights,
    has_own_weights,
    name_arch,
    register_arch,
)
from ltvl_mm.clip.tokenization import Tokenizer
from ltvl_mm.clip.weight_files import (
    find_shipped_weights,
    list_shipped_tags,
    read_clip_state,
)
from ltvl_mm.utils.checkpoints import find_checkpoint
from ltvl_mm.utils.torchscript import is_torchscript

_ARCHS = Path(__file__).parent / 'archs'
open_clip.add_model_config(_ARCHS)

# In the order of the sorted WordNet ids, as ImageNet-LT's labels.
IMAGENET_NAMES = tuple(open_clip.IMAGENET_CLASSNAMES)


def build_clip(arch: str, pretrained: str | None = None) -> nn.Module:
    """Build a CLIP model with ``.visual``, ``.text`` and ``.logit_scale``.

    Each tower maps a batch to (B, D), those of CoCa as well, whose caption
    decoder is left out. ``.logit_bias`` is SigLIP's, otherwise None.

    Args:
        arch: An open_clip architecture such as ``'ViT-B-16-quickgelu'``;
            ``'ltvl-toy'`` and ``'ltvl-toy-vit'``, the 32 px models of the
            embedded world; a model config (``my_clip.json``);
            ``'local-dir:FOLDER'`` or ``'hf-hub:NAME'``; see
            :func:`ltvl_mm.clip.sources.register_arch`.
        pretrained: A tag of open_clip (downloads), one whose weights this
            package holds (``'ltvl-toy'``), or a file: an open_clip
            state dict, OpenAI's JIT archive, or a checkpoint of ours (a
            classifier of ``CLIPBackbone`` and ``CLIPContrastiveHead``); or
            the folder of a training, which selects its best checkpoint.
            None for the weights of a ``local-dir:`` or ``hf-hub:`` name,
            and for random weights of any other.

    Raises:
        ValueError: If the architecture, the tag or the file is unknown, the
            weights do not fit, they were trained with QuickGELU and the
            architecture has GELU (or the other way round), which open_clip
            itself lets pass, or the text tower is of Hugging Face and
            transformers is missing.
    """
    find_arch(arch)  # before weights are looked for
    if pretrained is None and has_own_weights(arch):
        pretrained = find_own_weights(arch)
    if pretrained is None:
        return _build(arch, None)
    if pretrained in list_shipped_tags(arch):
        pretrained = find_shipped_weights(arch, pretrained)
    if Path(pretrained).is_dir():
        pretrained = find_checkpoint(pretrained)
    if Path(pretrained).is_file():
        return _build_from_file(arch, pretrained)
    check_tag(arch, pretrained)
    try:
        return _build(arch, pretrained)
    except RuntimeError as error:
        raise ValueError(
            f'the weights {pretrained!r} of {arch} could not be fetched; '
            f'download them elsewhere and give the file as pretrained=. '
            f'({error})'
        ) from error


def check_tag(arch: str, pretrained: str) -> None:
    """Raise ValueError unless weights are a tag that fits an architecture.

    Args:
        arch: Architecture, as :func:`build_clip` takes it.
        pretrained: Name of weights that is neither a file nor a folder.

    Raises:
        ValueError: If it looks like a missing file, open_clip lists no such
            tag, or it was trained with another activation.
    """
    config, shipped = find_arch(arch), list_shipped_tags(arch)
    if pretrained in shipped:
        return
    if Path(pretrained).suffix in ('.pt', '.pth') or '/' in pretrained:
        raise ValueError(
            f'there is no checkpoint {pretrained}; if an earlier phase leaves '
            f'it (as phase A of BALLAD does for phase B), train that first'
        )
    tags = open_clip.list_pretrained_tags_by_model(arch)
    if pretrained not in tags:
        shipped = list_shipped_tags(arch)
        raise ValueError(
            f'pretrained={pretrained!r} is neither a file nor a tag of '
            f'{arch}; its tags: {", ".join([*shipped, *tags]) or "none"}'
        )
    wanted = open_clip.get_pretrained_cfg(arch, pretrained).get(
        'quick_gelu', False
    )
    _check_quick_gelu(arch, config, wanted, f'the tag {pretrained!r}')


def build_tokenizer(arch: str) -> Tokenizer:
    """Return the tokenizer of an architecture.

    The tokenizer maps n texts to (n, context length) token ids. Its attribute
    ``context_length`` can be overridden in a call. Longer texts are truncated
    without a message.

    Args:
        arch: Name of an architecture, see
            :func:`ltvl_mm.clip.sources.register_arch`.

    Raises:
        ValueError: If ``arch`` is unknown, or it needs a Hugging Face
            tokenizer and transformers is missing or the hub cannot be
            reached.
    """
    config = find_arch(arch)
    check_transformers(arch, config, part='tokenizer')
    name = register_arch(arch)
    if not config['text_cfg'].get('hf_tokenizer_name'):
        return open_clip.get_tokenizer(name, **_find_merges(config))
    try:
        # The code that a folder or repository brings along is not run.
        return open_clip.get_tokenizer(name, trust_remote_code=False)
    # transformers and huggingface_hub raise many kinds without network.
    except Exception as error:
        raise explain_hub_error(
            arch, config, error, part='tokenizer'
        ) from error


def find_width(arch: str, *, projected: bool = True) -> int:
    """Return D of the joint space, or F of a ViT before its projection.

    Raises:
        ValueError: If F is asked for and the image tower is not a ViT of
            open_clip's own: others have no matrix from F to D.
    """
    config = find_arch(arch)
    vision = config['vision_cfg']
    if projected:
        return config['embed_dim']
    if 'timm_model_name' in vision or isinstance(vision.get('layers'), list):
        raise ValueError(
            f'only a ViT of open_clip can leave its projection out; the '
            f'image tower of {arch} is none, use projection=True'
        )
    # An attentional pooling is as wide as the joint space.
    if vision.get('attentional_pool'):
        return config['embed_dim']
    return vision.get('width', 768)


def identify_clip(
    arch: str, model: nn.Module, preprocessing: str
) -> dict[str, str]:
    """Name a model by architecture, weights and preprocessing.

    The hash is of the numbers, not of the file, so that an open_clip state
    dict and our checkpoint of the same weights are the same encoder.

    Args:
        arch: The open_clip architecture of ``model``.
        model: Its towers with their weights.
        preprocessing: Sentence of
            :func:`ltvl_mm.clip.preprocessing.name_preprocessing`.
    """
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.cpu().contiguous().numpy().tobytes())
    return {
        'arch': name_arch(arch),
        'weights_sha256': digest.hexdigest(),
        'preprocessing': preprocessing,
    }


def find_arch(arch: str) -> dict:
    """Return a copy of open_clip's config of an architecture.

    Raises:
        ValueError: If open_clip does not know ``arch``; suggests some.
    """
    config = open_clip.get_model_config(register_arch(arch))
    if config is None:
        close = difflib.get_close_matches(arch, open_clip.list_models())
        raise ValueError(
            f'unknown open_clip architecture {arch!r}; did you mean '
            f'{" or ".join(close) or "one of open_clip.list_models()"}? For '
            f'a model of your own, give its config FILE.json, '
            f"'local-dir:FOLDER' or 'hf-hub:NAME'"
        )
    return config


def _find_merges(config: dict) -> dict[str, str]:
    """Return the file of a small vocabulary that is shipped with its arch."""
    name = config['text_cfg'].get('tokenizer_kwargs', {}).get('bpe_path')
    if name is None:
        return {}
    # The name in a config of the user's own is a path already.
    if (_ARCHS / name).parent != _ARCHS or not (_ARCHS / name).is_file():
        check_merges(name)
        return {}
    return {'bpe_path': str(_ARCHS / name)}


def _build(arch: str, pretrained: str | None) -> nn.Module:
    # open_clip warns on the root logger that a model without weights has no
    # weights; our callers asked for exactly that.
    config = find_arch(arch)
    check_transformers(arch, config, part='text tower')
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        model = open_clip.create_model(
            register_arch(arch),
            pretrained=pretrained,
            # Those of a folder or the hub are read by us, as data.
            load_weights=pretrained is not None,
            force_custom_text=True,
            # Or a Hugging Face tower fetches base weights, to replace them.
            pretrained_text=False,
        )
    except OSError as error:
        if 'hf_model_name' not in config['text_cfg']:
            raise
        raise explain_hub_error(
            arch, config, error, part='text tower'
        ) from error
    finally:
        root.setLevel(level)
    return keep_towers(model, config)


def _build_from_file(arch: str, path: str) -> nn.Module:
    state = read_clip_state(path)
    if is_torchscript(path):
        # Only OpenAI published such archives; all were QuickGELU models.
        _check_quick_gelu(arch, find_arch(arch), True, path)
    model = _build(arch, None)
    if any(name.startswith(('backbone.', 'head.')) for name in state):
        state = rename_our_checkpoint(state, path)
    elif 'positional_embedding' in state:
        state = convert_to_custom_text_state_dict(state)
    state = adapt_state(convert_state_dict(model, state), model)
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise ValueError(
            f'{path} does not fit the architecture {arch}: {error!s:.1000}'
        ) from None
    print_log(f'loaded {arch} from {path}', 'current')
    return model


def _check_quick_gelu(
    arch: str, config: dict, wanted: bool, weights: str
) -> None:
    if config.get('quick_gelu', False) == wanted:
        return
    kinds = {True: 'QuickGELU', False: 'GELU'}
    other = f'{arch}-quickgelu' if wanted else arch.removesuffix('-quickgelu')
    raise ValueError(
        f'{weights} was trained with {kinds[wanted]} but {arch} has '
        f'{kinds[not wanted]}; use arch={other!r}'
    )
