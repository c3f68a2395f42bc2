"""A frozen CLIP for retrieval: images and class names to unit vectors."""

from collections.abc import Mapping, Sequence

import torch

from ltvl_mm.clip.pixels import PixelNormalizer, PixelTransform
from ltvl_mm.clip.preprocessing import find_preprocessing, name_preprocessing
from ltvl_mm.clip.sources import find_default_weights
from ltvl_mm.clip.templates import find_templates
from ltvl_mm.clip.text_encoder import TEXTS_AT_A_TIME, encode_classes
from ltvl_mm.clip.tokenization import (
    Templates,
    tokenize_classes,
    tokenize_fitting_classes,
)
from ltvl_mm.clip.towers import build_clip, build_tokenizer, identify_clip
from ltvl_mm.utils.processor import prefers_bfloat16
from ltvl_mm.utils.progress import progress_bar


class FrozenCLIP:
    """Both towers of a CLIP model, for inference only.

    The constructor encodes one text, so that a missing tokenizer shows before
    the first image is embedded.

    Args:
        arch: An open_clip architecture, or a model of your own; see
            :func:`ltvl_mm.clip.sources.register_arch`.
        pretrained: A tag or a file; None for the weights of a ``local-dir:``
            or ``hf-hub:`` name, and for OpenAI's of any other.
        preprocess: Replacement for the preprocessing of these weights; see
            :func:`ltvl_mm.clip.preprocessing.find_preprocessing`.
        device: ``'cpu'``, ``'cuda'``, ...
        amp: Run the image tower in bfloat16 where that is safe; a CPU needs
            instructions for it.
        compile: Compile the image tower: minutes first, then faster.

    Attributes:
        preprocessing: Mean, std, size and resizing of these weights.
        preprocess: Function from an RGB image to its (3, S, S) uint8 pixels.
        temperature: Temperature of the softmax over classes that the model
            was trained with, 1 / its logit scale.

    Raises:
        ValueError: As :func:`ltvl_mm.clip.towers.build_clip` and
            :func:`ltvl_mm.clip.towers.build_tokenizer`, and if ``amp`` is
            set on a CPU that cannot multiply bfloat16.
    """

    def __init__(
        self,
        arch: str,
        pretrained: str | None = None,
        *,
        preprocess: str | Mapping[str, object] | None = None,
        device: str = 'cpu',
        amp: bool = False,
        compile: bool = False,
    ) -> None:
        if amp and not prefers_bfloat16(device):
            raise ValueError(
                f'amp (--amp) on device {device!r}: this processor is '
                'faster in float32 than in bfloat16; leave it out, or use a '
                'GPU'
            )
        if pretrained is None:
            pretrained = find_default_weights(arch)
        self.arch = arch
        self.device = torch.device(device)
        self.amp = amp
        self.preprocessing = find_preprocessing(arch, pretrained, preprocess)
        self.preprocess = PixelTransform(self.preprocessing)
        # First, as weights may be gigabytes to download.
        self.tokenizer = build_tokenizer(arch)
        self.model = build_clip(arch, pretrained).eval().requires_grad_(False)
        self.identity = identify_clip(
            arch, self.model, name_preprocessing(self.preprocessing)
        )
        # Four digits, so that rounding of other machines makes no difference.
        scale = float(self.model.logit_scale.double().exp())
        self.temperature = float(f'{1 / scale:.4g}')
        self.model.to(self.device)
        self._normalize = PixelNormalizer(self.preprocessing).to(self.device)
        # One text now: what is missing for texts must not show after hours
        # of embedding images.
        self.encode_class_names(['cat'], ['a photo of a {}.'])
        self._layout = torch.contiguous_format
        if self.device.type == 'cuda':  # where tensor cores want it
            self._layout = torch.channels_last
            self.model.visual.to(memory_format=self._layout)
        self._visual = (
            torch.compile(self.model.visual) if compile else self.model.visual
        )

    def encode_images(self, images: torch.Tensor) -> torch.Tensor:
        """Map images to (B, D) features, not normalized, on the device.

        Args:
            images: (B, 3, S, S) uint8 pixels of ``preprocess``, or floats
                that mean and std have been applied to.
        """
        # 8-bit pixels are a quarter of the bytes to copy.
        images = images.to(self.device, non_blocking=True)
        if images.dtype == torch.uint8:
            images = self._normalize(images)
        images = images.to(memory_format=self._layout)
        with torch.autocast(
            self.device.type, torch.bfloat16, enabled=self.amp
        ):
            return self._visual(images)

    def encode_class_names(
        self, class_names: Sequence[str], templates: str | Templates
    ) -> torch.Tensor:
        """Return (K, D) L2-normalized class features on the CPU.

        Raises:
            ValueError: If a prompt is too long for the text tower.
        """
        return self._encode_tokens(
            tokenize_classes(
                class_names, find_templates(templates), self.tokenizer
            )
        )

    def encode_fitting_names(
        self, class_names: Sequence[str], templates: str | Templates
    ) -> tuple[torch.Tensor, set[str]]:
        """Encode the names whose prompts are not too long.

        Args:
            class_names: K names.
            templates: Templates, or the name of a list of them.

        Returns:
            (F, D) L2-normalized features, on the CPU, of the names that fit
            into the text tower, in their order, (0, 0) if none does; and the
            names that are too long.
        """
        tokens, too_long = tokenize_fitting_classes(
            class_names, find_templates(templates), self.tokenizer
        )
        if not len(tokens):
            return torch.empty(0, 0), too_long
        return self._encode_tokens(tokens), too_long

    @torch.inference_mode()
    def _encode_tokens(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return (K, D) class features of (K, P, L) tokens."""
        texts = int(tokens.any(-1).sum())
        with progress_bar(
            total=texts,
            title='encode class names',
            unit='text',
            silent=texts <= TEXTS_AT_A_TIME,
        ) as bar:
            return encode_classes(
                self.model.text,
                tokens,
                chunk_size=TEXTS_AT_A_TIME,
                progress=bar.update,
            ).cpu()
