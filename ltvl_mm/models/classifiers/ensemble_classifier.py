"""Several classifiers that answer as one."""

import copy
from collections.abc import Mapping
from typing import TypeAlias

import torch
from mmengine.model import BaseDataPreprocessor, ModuleDict
from mmpretrain.models.classifiers import BaseClassifier
from mmpretrain.models.heads import ClsHead
from mmpretrain.structures import DataSample

from ltvl_mm.registry import MODELS
from ltvl_mm.structures.score_mixture import ScoreMixture
from ltvl_mm.utils.checkpoints import read_weights

Images: TypeAlias = torch.Tensor | Mapping[str, torch.Tensor]


@MODELS.register_module()
class EnsembleClassifier(BaseClassifier):
    """Mix the logits of trained classifiers, such as a student and CLIP.

    Source: "Ensemble TACKLE with VL Model", Table 7 of the TACKLE paper; see
    :class:`ltvl_mm.structures.score_mixture.ScoreMixture`. Members differ in
    anything but their classes. ``tools/analysis_tools/tune_ensemble.py``
    chooses weights and scales on val.

    Args:
        members: Name -> config of a classifier.
        weights: Name -> share, with sum 1.
        scales: Name -> factor on the member's logits; 1 where not given.
        space: ``'logit'`` or ``'probability'``.
        checkpoints: Name -> what to load into the member: a file, or the
            work folder of its training (best, else last). A member that is
            not named keeps the weights of its own config.
        data_preprocessor: The Runner hands over that of the config. Members
            without one of their own take it.
        init_cfg: mmengine's initialization config.

    Raises:
        ValueError: If names, numbers or checkpoints do not fit the members.
    """

    def __init__(
        self,
        members: Mapping[str, dict],
        *,
        weights: Mapping[str, float],
        scales: Mapping[str, float] | None = None,
        space: str = 'logit',
        checkpoints: Mapping[str, str] | None = None,
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        scales = {name: 1.0 for name in members} | dict(scales or {})
        checkpoints = dict(checkpoints or {})
        for given in (weights, scales, checkpoints):
            _check_names(given, members)
        if missing := set(members) - set(weights):
            raise ValueError(f'weights lack {sorted(missing)}')
        # Each member normalizes its own images; here they only move.
        super().__init__(
            init_cfg=init_cfg, data_preprocessor=BaseDataPreprocessor()
        )
        self.mixture = ScoreMixture(
            weights=tuple(weights[name] for name in members),
            scales=tuple(scales[name] for name in members),
            space=space,
        )
        self.members = ModuleDict(
            {
                name: _build_member(member, data_preprocessor)
                for name, member in members.items()
            }
        )
        for name, path in checkpoints.items():
            _load_member(self.members[name], name, path)
        self.head = ClsHead()

    def forward(
        self,
        inputs: Images,
        data_samples: list[DataSample] | None = None,
        mode: str = 'tensor',
    ) -> torch.Tensor | list[DataSample]:
        """Return (B, K) logits, or samples with predictions.

        Args:
            inputs: (B, 3, H, W) for all members, or name -> (B, 3, H, W) as
                ``ltvl_mm.PackViews`` packs it; not yet normalized.
            data_samples: Data samples of the images, for ``mode='predict'``.
            mode: ``'tensor'`` or ``'predict'``.

        Raises:
            ValueError: If ``mode`` is another, or a member has no image.
        """
        if mode not in ('tensor', 'predict'):
            raise ValueError(
                f"an ensemble has the modes 'tensor' and 'predict', got "
                f'{mode!r}; train its members one by one'
            )
        logits = [
            member(_prepare(member, _pick(inputs, name)), mode='tensor')
            for name, member in self.members.items()
        ]
        mixed = self.mixture.mix(logits)
        if mode == 'tensor':
            return mixed
        return self.head.predict((mixed,), data_samples)


def _check_names(given: Mapping[str, object], members: Mapping) -> None:
    if unknown := set(given) - set(members):
        raise ValueError(
            f'{sorted(unknown)} are not among the members {sorted(members)}'
        )


def _build_member(
    member: dict, data_preprocessor: dict | None
) -> BaseClassifier:
    member = copy.deepcopy(member)
    if data_preprocessor is not None:
        member.setdefault(
            'data_preprocessor', copy.deepcopy(data_preprocessor)
        )
    return MODELS.build(member)


def _load_member(member: BaseClassifier, name: str, path: str) -> None:
    try:
        member.load_state_dict(read_weights(path))
    except (RuntimeError, ValueError) as error:
        raise ValueError(
            f"{path} does not fit the member '{name}': {error}"
        ) from None


def _pick(inputs: Images, name: str) -> torch.Tensor:
    if not isinstance(inputs, Mapping):
        return inputs
    if name not in inputs:
        raise ValueError(
            f"the member '{name}' has no image; views are {sorted(inputs)}"
        )
    return inputs[name]


def _prepare(member: BaseClassifier, images: torch.Tensor) -> torch.Tensor:
    """Normalize the images as the member was trained on them."""
    # A preprocessor for several views, as PaCo's, needs both.
    data = {'inputs': images, 'data_samples': None}
    return member.data_preprocessor(data)['inputs']
