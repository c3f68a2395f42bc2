"""Hook that weights the loss of retrieved images."""

import math
from collections.abc import Sequence

import torch
from mmengine.dist import all_reduce
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from mmpretrain.structures import DataSample
from torch import nn

from ltvl_mm.registry import HOOKS
from ltvl_mm.structures.origins import read_origins, read_probabilities
from ltvl_mm.utils.loss_weights import check_takes_weights

BY_PROBABILITY = 'probability'
# The divisor of a batch whose images all weigh 0.
_MIN_SUM = 1e-6


def weigh_samples(
    samples: Sequence[DataSample], retrieved: float | str
) -> list[float]:
    """Return the loss weights of a batch: 1 for target images.

    Args:
        samples: Data samples of ``ltvl_mm.TACKLEDataset``.
        retrieved: Weight of retrieved images, or ``'probability'`` for p_k.

    Raises:
        ValueError: If a sample has no origin, or no probability.
    """
    return [_weigh(sample, retrieved) for sample in samples]


@HOOKS.register_module()
class RetrievedWeightHook(Hook):
    """Weight the loss of each image by its origin, target or retrieved.

    Target images weigh 1. The loss is the weighted mean over the batch of all
    processes, sum_i w_i L_i / sum_i w_i. Works with any head that calls its
    ``loss_module`` and any loss that takes ``weight`` and ``avg_factor``, as
    mmpretrain's and most of ours do; model and checkpoint stay the same.
    Other terms that a model adds, such as a distillation loss, are not
    weighted. Not in the TACKLE paper, which gives all images one weight.

    Args:
        retrieved: Weight of retrieved images, >= 0; or ``'probability'`` for
            the softmax probability p_k that each was retrieved with.

    Raises:
        ValueError: If ``retrieved`` is negative, not finite or another word;
            at the start of training, if no image is retrieved, the manifest
            has no probabilities, a loss takes no weights, or images are
            mixed; after the first iteration, if the model has not used its
            ``loss_module``.
    """

    # After SwitchRecipeHook has put a new loss in place.
    priority = 'LOW'

    def __init__(self, *, retrieved: float | str = BY_PROBABILITY) -> None:
        known = (
            retrieved == BY_PROBABILITY
            if isinstance(retrieved, str)
            else 0 <= retrieved < math.inf
        )
        if not known:
            raise ValueError(
                f'retrieved must be a finite weight >= 0 or '
                f"'{BY_PROBABILITY}', got {retrieved!r}"
            )
        self.retrieved = retrieved
        self._weights: list[float] | None = None
        self._was_used = False
        self._attached: list[nn.Module] = []

    def before_train(self, runner: Runner) -> None:
        """Check data and losses before the first batch."""
        dataset = runner.train_loop.dataloader.dataset
        if not read_origins(dataset).any():
            raise ValueError(
                'RetrievedWeightHook needs retrieved images, but all training '
                'images are of the target data set; give tools/train.py '
                '--retrieved MANIFEST, or leave the hook out'
            )
        if self.retrieved == BY_PROBABILITY:
            read_probabilities(dataset)
        self.before_train_epoch(runner)

    def before_train_epoch(self, runner: Runner) -> None:
        """Attach to the losses: one may be new, as may be augmentations."""
        model = runner.model
        if is_model_wrapper(model):
            model = model.module
        if getattr(model.data_preprocessor, 'batch_augments', None):
            raise ValueError(
                'RetrievedWeightHook cannot weight mixed images: the data '
                'preprocessor does not report which images it mixed. Remove '
                'Mixup, CutMix and similar batch augmentations from the '
                "model's train_cfg, or train with --recipe filtered"
            )
        for loss in find_loss_modules(model):
            if not any(loss is other for other in self._attached):
                check_takes_weights(type(loss))
                loss.register_forward_pre_hook(self._add, with_kwargs=True)
                self._attached.append(loss)

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict | None = None
    ) -> None:
        """Weigh the images of the next batch."""
        samples = (data_batch or {})['data_samples']
        self._weights = weigh_samples(samples, self.retrieved)
        self._was_used = False

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict | None = None,
        outputs: dict | None = None,
    ) -> None:
        """Check that the weights were used; losses of val have none."""
        if not self._was_used:
            raise ValueError(
                f'RetrievedWeightHook has no effect: the loss of '
                f'{type(runner.model).__name__} does not come from the '
                f'loss_module of its head. Remove the hook, or train with '
                f'--recipe filtered'
            )
        self._weights = None

    def _add(
        self, loss: nn.Module, args: tuple, kwargs: dict
    ) -> tuple[tuple, dict] | None:
        """Add the weights of the batch to the arguments of a loss."""
        if self._weights is None:
            return None
        scores = args[0] if args else kwargs['cls_score']
        if len(scores) != len(self._weights):
            raise ValueError(
                f'{type(loss).__name__} gets {len(scores)} predictions for '
                f'{len(self._weights)} images, so that their weights are not '
                f'known; train with --recipe filtered'
            )
        self._was_used = True
        weight = torch.tensor(
            self._weights, dtype=torch.float32, device=scores.device
        )
        # DDP averages gradients: each process divides by the mean sum.
        total = all_reduce_mean(weight.sum())
        return args, {
            **kwargs,
            'weight': weight,
            'avg_factor': total.clamp(min=_MIN_SUM),
        }


def all_reduce_mean(value: torch.Tensor) -> torch.Tensor:
    """Return the mean of a number over the processes."""
    value = value.clone()
    all_reduce(value, 'mean')
    return value


def find_loss_modules(model: nn.Module) -> list[nn.Module]:
    """Return the loss modules of the heads of a model."""
    found = [
        module.loss_module
        for module in model.modules()
        if isinstance(getattr(module, 'loss_module', None), nn.Module)
    ]
    if not found:
        raise ValueError(
            f'{type(model).__name__} has no head with a loss_module, so that '
            f'its images cannot be weighted; train with --recipe filtered'
        )
    return found


def _weigh(sample: DataSample, retrieved: float | str) -> float:
    if 'origin' not in sample:
        raise ValueError(
            'RetrievedWeightHook needs samples that say where they come from, '
            'as those of ltvl_mm.TACKLEDataset do'
        )
    if sample.origin == 'target':
        return 1.0
    if retrieved != BY_PROBABILITY:
        return float(retrieved)
    if 'probability' not in sample:
        raise ValueError(
            'a retrieved image has no probability p_k; retrieve with --score '
            'softmax'
        )
    return float(sample.probability)
