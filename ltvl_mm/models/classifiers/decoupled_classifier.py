"""A classifier whose representation comes from a first stage."""

from collections.abc import Mapping, Sequence

from mmpretrain.models.classifiers import ImageClassifier
from torch import nn

from ltvl_mm.registry import MODELS
from ltvl_mm.utils.checkpoints import read_weights


@MODELS.register_module()
class DecoupledClassifier(ImageClassifier):
    """Keep parts of a trained model as they are, and train the rest anew.

    With a new linear head and a class-balanced sampler: classifier
    re-training (cRT). With ``LWSClsHead`` and its ``fc`` kept, too: learnable
    weight scaling. Source: Kang et al. 2020 (arXiv 1910.09217), section 4.1.

    Args:
        stage_1: Checkpoint, or folder of a training (its best checkpoint,
            else its last), that the kept parts are loaded from when training
            starts; not when it is resumed, by ``tools/train.py``.
        kept: Names of the parts that are loaded and not trained.
        begun: Part that is loaded and trained further -> name of the part of
            the first stage that it begins as.
        freeze_bn: Keep the kept parts in eval mode, so that their BatchNorm
            statistics stay and they drop nothing out. False (default)
            updates the statistics, as the authors' code does.
        kwargs: Arguments of mmpretrain's ImageClassifier.

    Raises:
        ValueError: If the model has no part of such a name.
    """

    def __init__(
        self,
        *args: object,
        stage_1: str,
        kept: Sequence[str] = ('backbone', 'neck'),
        begun: Mapping[str, str] | None = None,
        freeze_bn: bool = False,
        **kwargs: object,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.stage_1: str | None = stage_1
        self.kept = tuple(kept)
        self.begun = dict(begun or {})
        self.freeze_bn = freeze_bn
        for part in self._list_kept():
            part.requires_grad_(False)
        for name in self.begun:
            self._find(name)

    def leave_stage_1(self, checkpoint: str) -> None:
        """Do without the first stage: all is loaded from a checkpoint.

        Args:
            checkpoint: Checkpoint of this model from which its training
                resumes.

        Raises:
            ValueError: If it lacks a weight.
        """
        lacking = sorted(
            set(self.state_dict()) - set(read_weights(checkpoint))
        )
        if lacking:
            raise ValueError(
                f'{checkpoint} is not a checkpoint of this model, it lacks '
                f'{len(lacking)} weights such as {lacking[0]}'
            )
        self.stage_1 = None

    def init_weights(self) -> None:
        """Initialize what is trained, and load the rest from the stage.

        Raises:
            ValueError: If the stage lacks a weight of a part, or has it in
                another shape.
        """
        super().init_weights()
        if self.stage_1 is None:
            return
        weights = read_weights(self.stage_1)
        sources = {name: name for name in self.kept} | self.begun
        for name, source in sources.items():
            start = f'{source}.'
            own = {
                key.removeprefix(start): value
                for key, value in weights.items()
                if key.startswith(start)
            }
            try:
                self._find(name).load_state_dict(own)
            except RuntimeError as error:
                raise ValueError(
                    f'{self.stage_1} is not a first stage of this model, its '
                    f"'{source}' is another: {error}"
                ) from None

    def train(self, mode: bool = True) -> 'DecoupledClassifier':
        """Switch the mode of what is trained."""
        super().train(mode)
        if self.freeze_bn:
            for part in self._list_kept():
                part.eval()
        return self

    def _list_kept(self) -> list[nn.Module]:
        return [self._find(name) for name in self.kept]

    def _find(self, name: str) -> nn.Module:
        try:
            return self.get_submodule(name)
        except AttributeError as error:
            raise ValueError(
                f'kept={list(self.kept)}, begun={self.begun} name a part that '
                f'the model does not have: {error}'
            ) from None
