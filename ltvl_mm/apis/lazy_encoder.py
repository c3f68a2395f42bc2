"""Image encoder that other processes build where they run."""

from collections.abc import Mapping

import torch

from ltvl_mm.clip.frozen_clip import FrozenCLIP
from ltvl_mm.structures.encoder_identity import find_difference
from ltvl_mm.utils.command_line import choose_device


class LazyImageEncoder:
    """Image tower of a :class:`FrozenCLIP` that is built at the first call.

    It can be pickled before that call, and is then a few names; weights are
    read in the process that encodes.

    Args:
        identity: Names of architecture, weights and preprocessing that the
            built encoder must have.
        arch: open_clip architecture, or a model of your own.
        pretrained: Weights, tag or file, which each node must find under
            this name; None for the default weights of ``arch``.
        preprocess: Replacement for the preprocessing of these weights; None
            for their own.
        device: Device; None for a GPU if the process has one.
        amp: True to run the image tower in bfloat16.
        compile: True to compile the image tower.
    """

    def __init__(
        self,
        identity: dict[str, str],
        arch: str,
        pretrained: str | None,
        *,
        preprocess: str | Mapping[str, object] | None,
        device: str | None,
        amp: bool,
        compile: bool,
    ) -> None:
        self.identity = identity
        self.arch = arch
        self.pretrained = pretrained
        self.preprocess = preprocess
        self.device = device
        self.amp = amp
        self.compile = compile
        self._clip: FrozenCLIP | None = None

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """Map (B, 3, S, S) to (B, D), not normalized, on the device.

        Raises:
            ValueError: If this process finds other weights under the same
                name.
        """
        if self._clip is None:
            self._clip = self._build()
        return self._clip.encode_images(images)

    def _build(self) -> FrozenCLIP:
        clip = FrozenCLIP(
            self.arch,
            self.pretrained,
            preprocess=self.preprocess,
            device=choose_device(self.device),
            amp=self.amp,
            compile=self.compile,
        )
        difference = find_difference(self.identity, clip.identity)
        if difference is not None:
            raise ValueError(
                f'{self.pretrained or self.arch} on this node is another '
                f'encoder than where embedding was started: {difference} is '
                f'{clip.identity.get(difference)!r}, expected '
                f'{self.identity.get(difference)!r}. Give all nodes the same '
                f'files'
            )
        return clip
