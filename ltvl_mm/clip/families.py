"""Differences between open_clip's model families: CoCa, SigLIP, HF towers."""

from importlib.util import find_spec

import torch
import torch.nn.functional as F
from torch import nn

# Old files of Hugging Face towers hold this buffer; newer towers do not.
_POSITION_IDS = 'text.transformer.embeddings.position_ids'


class ImageTextTowers(nn.Module):
    """Both towers of a CoCa, without its caption decoder.

    Its parameters have the names of open_clip's ``CustomTextCLIP``.

    Args:
        model: The CoCa of open_clip; its towers are not copied.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.visual = model.visual
        self.text = model.text
        self.logit_scale = model.logit_scale
        self.logit_bias = model.logit_bias

    def encode_image(
        self, images: torch.Tensor, normalize: bool = False
    ) -> torch.Tensor:
        """Map (B, 3, S, S) to (B, D)."""
        features = self.visual(images)
        return F.normalize(features, dim=-1) if normalize else features

    def encode_text(
        self, tokens: torch.Tensor, normalize: bool = False
    ) -> torch.Tensor:
        """Map (B, L) token ids to (B, D)."""
        features = self.text(tokens)
        return F.normalize(features, dim=-1) if normalize else features


def is_coca(config: dict) -> bool:
    """Return whether an architecture has a caption decoder."""
    return 'multimodal_cfg' in config


def explain_no_export(arch: str, config: dict) -> str | None:
    """Return why open_clip cannot build a trained model, or None if it can.

    Args:
        arch: The open_clip architecture.
        config: Its config.
    """
    if not is_coca(config):
        return None
    return (
        f'{arch} has a caption decoder, which training leaves out; open_clip '
        f'cannot build it from the trained towers. Use the checkpoint itself '
        f'as pretrained=, here only'
    )


def is_sigmoid(config: dict) -> bool:
    """Return whether an architecture is trained with SigLIP's sigmoid loss."""
    return config.get('init_logit_bias') is not None


def has_text_prefix(config: dict) -> bool:
    """Return whether open_clip's own model names its text tower ``text.``."""
    return (
        config.get('custom_text', False)
        or 'hf_model_name' in config['text_cfg']
        or is_coca(config)
    )


def keep_towers(model: nn.Module, config: dict) -> nn.Module:
    """Return a model whose towers map a batch to (B, D) features.

    CoCa's towers also return tokens for its decoder; these tokens and the
    decoder are dropped.
    """
    for tower in (model.visual, model.text):
        if getattr(tower, 'output_tokens', False):
            tower.output_tokens = False
    return ImageTextTowers(model) if is_coca(config) else model


def adapt_state(
    state: dict[str, torch.Tensor], model: nn.Module
) -> dict[str, torch.Tensor]:
    """Return weights of a file with the names and shapes of ``model``.

    Drops CoCa's decoder and a buffer of old Hugging Face towers, and gives
    scale and bias the shape that ``model`` has, () or (1,).
    """
    own = model.state_dict()
    adapted = {
        name: tensor
        for name, tensor in state.items()
        if not name.startswith('text_decoder.')
        and (name != _POSITION_IDS or name in own)
    }
    for name in ('logit_scale', 'logit_bias'):
        if name in adapted and name in own and adapted[name].numel() == 1:
            adapted[name] = adapted[name].reshape(own[name].shape)
    return adapted


def rename_our_checkpoint(
    state: dict[str, torch.Tensor], path: str
) -> dict[str, torch.Tensor]:
    """Return a classifier's towers, scale and bias with open_clip's names.

    Args:
        state: State dict of a classifier of ``CLIPBackbone`` and
            ``CLIPContrastiveHead``.
        path: The file, for the message.

    Raises:
        ValueError: If a tower or the scale is missing.
    """
    places = {
        'backbone.visual.': 'visual.',
        'head.text.': 'text.',
        'head.logit_scale': 'logit_scale',
        'head.logit_bias': 'logit_bias',  # SigLIP only
    }
    for old in places:
        if old != 'head.logit_bias' and not any(
            name.startswith(old) for name in state
        ):
            raise ValueError(
                f'{path} holds no {old.rstrip(".")}: only a checkpoint with '
                f'both towers, of CLIPBackbone and CLIPContrastiveHead, '
                f'starts another training'
            )
    return {
        new + name.removeprefix(old): tensor
        for name, tensor in state.items()
        for old, new in places.items()
        if name.startswith(old)
    }


def check_transformers(arch: str, config: dict, *, part: str) -> None:
    """Raise ValueError if a part needs transformers and it is missing.

    Args:
        arch: Name of the architecture, for the message.
        config: open_clip's config of ``arch``.
        part: ``'tokenizer'`` or ``'text tower'``.
    """
    key = {'tokenizer': 'hf_tokenizer_name', 'text tower': 'hf_model_name'}
    source = config['text_cfg'].get(key[part])
    if source and find_spec('transformers') is None:
        raise ValueError(
            f'the {part} of {arch} ({source}) needs the package '
            f'transformers: pip install -r requirements/huggingface.txt'
        )


def explain_hub_error(
    arch: str, config: dict, error: Exception, *, part: str
) -> ValueError:
    """Return the error of a part that the Hugging Face hub did not give.

    Args:
        arch: Name of the architecture, for the message.
        config: open_clip's config of ``arch``.
        error: Exception of transformers or huggingface_hub.
        part: ``'tokenizer'`` or ``'text tower'``.
    """
    text = config['text_cfg']
    source = text.get('hf_tokenizer_name') or text.get('hf_model_name')
    reason = ' '.join(str(error).split())  # of several lines
    return ValueError(
        f'the {part} of {arch} could not be loaded from {source!r} of '
        f'huggingface.co. Without network access, run `hf download {source}` '
        f'elsewhere and copy the cache (~/.cache/huggingface, or the folder '
        f'of HF_HOME). ({type(error).__name__}: {reason:.300})'
    )
