"""A head with CLIP's text tower inside."""

import logging
import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmengine.logging import print_log
from mmpretrain.models.heads import ClsHead
from mmpretrain.structures import DataSample

from ltvl_mm.clip.class_prototypes import describe_classes
from ltvl_mm.clip.families import explain_no_export
from ltvl_mm.clip.templates import find_templates
from ltvl_mm.clip.text_encoder import encode_texts
from ltvl_mm.clip.tokenization import Templates
from ltvl_mm.clip.towers import (
    build_clip,
    build_tokenizer,
    find_arch,
    find_width,
)
from ltvl_mm.models.losses.contrastive_loss import (
    compute_contrastive_loss,
    gather_with_gradient,
)
from ltvl_mm.models.losses.loss_arguments import check_hard_samples
from ltvl_mm.registry import MODELS

LOSSES = ('symmetric', 'image_to_text', 'class_ce')

# CLIP's bound while it trained its own: larger was unstable there.
MAX_LEARNED_SCALE = 100.0


@MODELS.register_module()
class CLIPContrastiveHead(ClsHead):
    """Match image features with the features of texts.

    Predicts by cosine to the averaged prompts of ``class_names``. The text of
    a training image is its ``caption`` if the sample has one, else the
    averaged prompts of its class; images of the same text are positives of
    each other. Logits and losses are float32 under autocast, too.

    SigLIP's weights can be used, too: predictions and losses are softmaxes,
    over classes or over the batch, in which SigLIP's bias cancels. The bias
    is neither trained nor lost: checkpoints and exports keep it. SigLIP's own
    sigmoid loss is not offered.

    Args:
        arch: The open_clip architecture that the backbone has, too.
        pretrained: Tag or file, as the backbone's.
        class_names: K names, or a file with one per line; needed to predict.
        templates: ``'single'``, ``'openai_80'``, a file with one sentence per
            line, or sentences; each with ``{}`` for the name. Or one list of
            sentences per class, also as a ``.json`` file.
        loss: ``'symmetric'``, L_v->l + L_l->v over the batch of all processes
            (BALLAD, section 2.1, phase A); ``'image_to_text'``, L_v->l alone
            (phase B); ``'class_ce'``, cross-entropy over the prompts of all K
            classes, what BALLAD's code does in both phases.
        logit_scale: ``'learned'``, CLIP's 1 / temperature, at most 100
            (SigLIP's: without bound, as it was trained); ``'frozen'``, the
            same untrained; or a number, which a loaded checkpoint does not
            change (BALLAD's code: 100).
        frozen: Do not train the text tower; class features are then encoded
            once. The scale has its own switch.
        chunk_size: Prompts that keep their activations at a time, so that
            memory does not grow with K; costs a second forward pass of the
            text tower. None keeps all.
        init_cfg: mmengine's way to initialize; None keeps ``pretrained``.

    Attributes:
        classes: Classes to predict, of
            :func:`ltvl_mm.clip.class_prototypes.describe_classes`; None if
            built without class names.

    Raises:
        ValueError: If an argument is none of these, or a class name is too
            long for the text tower.
    """

    def __init__(
        self,
        arch: str,
        *,
        pretrained: str | None = None,
        class_names: str | Sequence[str] | None = None,
        templates: str | Templates = 'single',
        loss: str = 'symmetric',
        logit_scale: str | float = 'learned',
        frozen: bool = False,
        chunk_size: int | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        _check_options(loss, class_names, logit_scale, chunk_size)
        super().__init__(init_cfg=init_cfg)
        # First, as weights may be gigabytes to download.
        self.tokenizer = build_tokenizer(arch)
        clip = build_clip(arch, pretrained)
        no_export = explain_no_export(arch, find_arch(arch))
        if no_export is not None and not frozen:
            print_log(no_export, 'current', level=logging.WARNING)
        self.text = clip.text
        self.logit_scale = clip.logit_scale
        # Kept for export only: added to all logits of a softmax, it changes
        # neither predictions nor losses.
        self.logit_bias = clip.logit_bias
        if self.logit_bias is not None:
            self.logit_bias.requires_grad_(False)
        self.frozen = frozen
        self.chunk_size = chunk_size
        self.loss_kind = loss
        self._arch = arch
        self._width = find_width(arch)
        self.templates = find_templates(templates)
        self.classes = None
        if class_names is not None:
            self.classes = describe_classes(
                self.text,
                self.tokenizer,
                class_names,
                self.templates,
                chunk_size=chunk_size,
            )
        self._set_scale(logit_scale)
        if frozen:
            self.text.requires_grad_(False)
        self.train()

    def init_weights(self) -> None:
        """Keep the weights of ``pretrained`` unless ``init_cfg`` is given."""
        if self.init_cfg is not None:
            super().init_weights()

    def train(self, mode: bool = True) -> 'CLIPContrastiveHead':
        """Switch the mode; forget the prototypes of a trained text tower.

        Hooks such as EMAHook write weights through ``.data``, unseen by
        version counters, always before the loop calls ``eval()``.
        """
        super().train(mode)
        if self.frozen:
            self.text.eval()
        elif self.classes is not None:
            self.classes.forget()
        return self

    def forward(self, feats: tuple[torch.Tensor, ...]) -> torch.Tensor:
        """Map ((B, D),) to (B, K) logits: scaled cosines to the classes."""
        prototypes = self.prototypes()
        images = self._normalize(feats)
        with torch.autocast(images.device.type, enabled=False):
            return self._scale() * images @ prototypes.t()

    def loss(
        self,
        feats: tuple[torch.Tensor, ...],
        data_samples: list[DataSample],
        **kwargs: object,
    ) -> dict[str, torch.Tensor]:
        """Return the loss of ((B, D),) features and their samples.

        Args:
            feats: ((B, D),) features.
            data_samples: B samples with labels.
            kwargs: Further arguments of the loss module, as in mmpretrain's
                ClsHead; unused by contrastive losses.

        Raises:
            ValueError: If labels are soft and the loss is contrastive: a
                mixed image has no single text.
        """
        if self.loss_kind == 'class_ce':
            return super().loss(feats, data_samples, **kwargs)
        check_hard_samples(
            data_samples, f'CLIPContrastiveHead(loss={self.loss_kind!r})'
        )
        images = self._normalize(feats)
        texts, groups = self._encode_texts_of(data_samples, images.device)
        with torch.autocast(images.device.type, enabled=False):
            loss = compute_contrastive_loss(
                gather_with_gradient(images),
                gather_with_gradient(texts),
                groups,
                self._scale(),
                text_to_image=self.loss_kind == 'symmetric',
            )
        return {'loss': loss}

    def prototypes(self) -> torch.Tensor:
        """Return the (K, D) L2-normalized class features, in float32.

        Of a text tower that trains, they are kept only while evaluating: any
        change of mode or of a weight has them computed anew.

        Raises:
            ValueError: If the head was built without class names.
        """
        if self.classes is None:
            raise ValueError(
                'CLIPContrastiveHead cannot predict without class_names'
            )
        if self.training and not self.frozen:
            return self.classes.encode()
        return self.classes.recall()

    def _encode_texts_of(
        self, samples: list[DataSample], device: torch.device
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the (B, D) L2-normalized texts of the samples, and (N,): the
        group of equal texts of each image of all processes.
        """
        if all('caption' in sample for sample in samples):
            tokens = self.tokenizer([sample.caption for sample in samples])
            with torch.set_grad_enabled(
                torch.is_grad_enabled() and not self.frozen
            ):
                texts = encode_texts(
                    self.text, tokens, chunk_size=self.chunk_size
                )
            tokens = gather_with_gradient(tokens.to(device))
            return texts, torch.unique(tokens, dim=0, return_inverse=True)[1]
        if self.classes is None or not all(
            'gt_label' in sample for sample in samples
        ):
            raise ValueError(
                'CLIPContrastiveHead trains on captions, or on labels if it '
                'has class_names, but a sample has none; let PackInputs keep '
                "it: meta_keys=('caption', ...)"
            )
        labels = torch.cat([sample.gt_label for sample in samples]).to(device)
        texts = (
            self.prototypes()[labels]
            if self.frozen
            else self.classes.encode(labels)
        )
        return texts, gather_with_gradient(labels)

    def _normalize(self, feats: tuple[torch.Tensor, ...]) -> torch.Tensor:
        if feats[-1].shape[-1] != self._width:
            raise ValueError(
                f'the joint space of {self._arch} is {self._width} wide, but '
                f'the image features are {feats[-1].shape[-1]} wide; give '
                f'backbone and head the same arch'
            )
        return F.normalize(feats[-1].float(), dim=-1)

    def _scale(self) -> torch.Tensor:
        return self.logit_scale.exp().clamp(max=self._max_scale)

    def _set_scale(self, scale: str | float) -> None:
        self.logit_scale.requires_grad_(scale == 'learned')
        # SigLIP's scale is unbounded: 117 of ViT-B-16-SigLIP, as published.
        self._max_scale = (
            MAX_LEARNED_SCALE if self.logit_bias is None else math.inf
        )
        if isinstance(scale, str):
            return
        self._max_scale = scale
        with torch.no_grad():
            self.logit_scale.fill_(math.log(scale))
        self._register_load_state_dict_pre_hook(self._keep_scale)

    def _keep_scale(self, state: dict, prefix: str, *_: object) -> None:
        """Replace a checkpoint's scale by the number of the config."""
        state[f'{prefix}logit_scale'] = self.logit_scale.detach()


def _check_options(
    loss: str,
    class_names: str | Sequence[str] | None,
    logit_scale: str | float,
    chunk_size: int | None,
) -> None:
    if loss not in LOSSES:
        raise ValueError(f'loss must be one of {LOSSES}, got {loss!r}')
    if loss == 'class_ce' and class_names is None:
        raise ValueError("loss='class_ce' needs class_names")
    if logit_scale not in ('learned', 'frozen') and (
        isinstance(logit_scale, str) or not logit_scale > 0
    ):
        raise ValueError(
            f"logit_scale must be 'learned', 'frozen' or a number > 0, got "
            f'{logit_scale!r}'
        )
    if chunk_size is not None and chunk_size < 1:
        raise ValueError(f'chunk_size must be >= 1, got {chunk_size}')
