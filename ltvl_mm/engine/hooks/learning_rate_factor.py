"""Hook that multiplies the learning rate in the last epochs."""

from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

from ltvl_mm.registry import HOOKS


@HOOKS.register_module()
class LearningRateFactorHook(Hook):
    """Multiply the scheduled learning rate by a factor from an epoch on.

    The rate is multiplied for the forward and backward pass and the step of
    an iteration only, and restored before schedulers compute the next one.
    mmengine's schedulers are recursive: each computes the next rate from the
    current one, so that a scheduler such as ``ConstantLR`` beside a cosine
    with ``eta_min`` changes the cosine, too. Checkpoints hold the scheduled
    rate. Works with any schedulers, by epoch or iteration, several parameter
    groups, and several optimizers.

    Args:
        factor: Factor on the learning rate, > 0.
        begin: First epoch, from 0, at the multiplied rate.

    Raises:
        ValueError: If the factor is not a finite number > 0, or ``begin`` is
            negative; when resuming, if the checkpoint holds a rate that
            ``ConstantLR`` has multiplied already.
    """

    # First of all hooks: RuntimeInfoHook logs the rate before an iteration,
    # and ParamSchedulerHook reads it after one.
    priority = 'HIGHEST'

    def __init__(self, *, factor: float, begin: int) -> None:
        if not 0 < factor < float('inf'):
            raise ValueError(
                f'factor must be a finite number > 0, got {factor}'
            )
        if begin < 0:
            raise ValueError(f'begin must be an epoch >= 0, got {begin}')
        self.factor = factor
        self.begin = begin
        self._scheduled: list[Any] = []

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Refuse to resume inside a stage that another scheduler lowered.

        The recipe ``target_stage`` was a ``ConstantLR`` in earlier versions.
        """
        states = checkpoint.get('param_schedulers')
        for state in states if isinstance(states, list) else ():
            if (
                runner._resume
                and state.get('factor') == self.factor
                and state.get('begin') == self.begin
                and state.get('last_step', -1) >= 0
            ):
                raise ValueError(
                    f'the checkpoint is of epoch {self.begin} or later of a '
                    f'training whose learning rate a ConstantLR has '
                    f'multiplied by {self.factor:g}, as --recipe target_stage '
                    f'of an earlier version did; resume from an earlier '
                    f'epoch, or train again'
                )

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: object = None
    ) -> None:
        """Multiply the rates."""
        if runner.epoch < self.begin:
            return
        groups = _list_groups(runner)
        self._scheduled = [group['lr'] for group in groups]
        for group in groups:
            group['lr'] = group['lr'] * self.factor

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: object = None,
        outputs: object = None,
    ) -> None:
        """Restore the scheduled rates."""
        if not self._scheduled:
            return
        groups = _list_groups(runner)
        for group, rate in zip(groups, self._scheduled, strict=True):
            group['lr'] = rate
        self._scheduled = []


def _list_groups(runner: Runner) -> list[dict]:
    """Return the parameter groups of one optimizer, or of several."""
    groups = runner.optim_wrapper.param_groups
    if isinstance(groups, dict):  # of OptimWrapperDict, by optimizer
        return [group for some in groups.values() for group in some]
    return groups
