"""A classifier that learns from a trained one as well."""

import copy

import torch
import torch.nn.functional as F
from mmpretrain.models.classifiers import ImageClassifier
from mmpretrain.structures import DataSample
from torch import nn

from ltvl_mm.registry import MODELS
from ltvl_mm.utils.checkpoints import read_weights


def compute_distillation(
    logits: torch.Tensor, taught: torch.Tensor, *, temperature: float
) -> torch.Tensor:
    """Return the mean over images of T^2 KL(softmax(t / T) || softmax(z / T)).

    T^2 keeps its gradient as large as without T. Source: Hinton et al. 2015
    (arXiv 1503.02531), section 2.

    Args:
        logits: z, (N, K), of the student.
        taught: t, (N, K), of the teacher.
        temperature: T, > 0.

    Raises:
        ValueError: If student and teacher differ in shape.
    """
    if logits.shape != taught.shape:
        raise ValueError(
            f'a teacher with logits of shape {tuple(taught.shape)} cannot '
            f'teach a student with {tuple(logits.shape)}'
        )
    return temperature**2 * F.kl_div(
        (logits.float() / temperature).log_softmax(1),
        (taught.float() / temperature).log_softmax(1),
        reduction='batchmean',
        log_target=True,
    )


@MODELS.register_module()
class DistilledClassifier(ImageClassifier):
    """Train a student beside a frozen teacher.

    :func:`compute_distillation` of the logits of both is added to the head's
    loss; models with experts take part with their mean logits. Student and
    teacher are any classifiers of the same classes. The teacher exists during
    training only and is not a part of the model: it is absent from the
    optimizer and from checkpoints, which load into a student without a
    teacher. Source: RIDE, Wang et al. 2021 (arXiv 2010.01809), whose teacher
    has more experts, and its code, whose T is 1.5.

    Args:
        teacher: Config of a classifier. It gets the images as the student's
            data_preprocessor has normalized them.
        teacher_checkpoint: File, or folder of its training (its best
            checkpoint, else its last), loaded when training starts.
        temperature: T, > 0.
        distillation_weight: Factor on the teacher's part of the loss.
        kwargs: Further arguments of mmpretrain's ImageClassifier.

    Raises:
        ValueError: If the temperature is not positive.
    """

    def __init__(
        self,
        *args: object,
        teacher: dict,
        teacher_checkpoint: str,
        temperature: float = 1.5,
        distillation_weight: float = 1.0,
        **kwargs: object,
    ) -> None:
        if not temperature > 0:
            raise ValueError(f'temperature must be > 0, got {temperature}')
        super().__init__(*args, **kwargs)
        self.temperature = temperature
        self.distillation_weight = distillation_weight
        self._teacher_source = (teacher, teacher_checkpoint)
        # In a list, and so no submodule.
        self._teacher: list[nn.Module] = []

    def init_weights(self) -> None:
        """Initialize the student, and load the teacher.

        Raises:
            ValueError: If there is no such checkpoint, or it is of another
                model than the teacher.
        """
        super().init_weights()
        self._teacher = [_load_teacher(*self._teacher_source)]

    def loss(
        self, inputs: torch.Tensor, data_samples: list[DataSample]
    ) -> dict[str, torch.Tensor]:
        """Return the losses of (N, 3, H, W) images.

        Raises:
            ValueError: If the teacher is not loaded yet.
        """
        feats = self.extract_feat(inputs)
        losses = self.head.loss(feats, data_samples)
        distance = compute_distillation(
            self.head(feats),
            self._forward_teacher(inputs),
            temperature=self.temperature,
        )
        return {
            **losses,
            'loss_distillation': self.distillation_weight * distance,
        }

    @torch.no_grad()
    def _forward_teacher(self, images: torch.Tensor) -> torch.Tensor:
        """Return the teacher's (N, K) logits."""
        if not self._teacher:
            raise ValueError(
                'the teacher is not loaded; call init_weights(), as the '
                'Runner does before it trains'
            )
        (teacher,) = self._teacher
        return teacher.to(images.device)(images, mode='tensor')


def _load_teacher(cfg: dict, checkpoint: str) -> nn.Module:
    teacher = MODELS.build(copy.deepcopy(cfg))
    try:
        teacher.load_state_dict(read_weights(checkpoint))
    except RuntimeError as error:
        raise ValueError(
            f'{checkpoint} is not a checkpoint of the teacher: {error}'
        ) from None
    return teacher.requires_grad_(False).eval()
