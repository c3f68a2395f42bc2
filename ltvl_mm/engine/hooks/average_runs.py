"""Hook that begins a training at the average of other trainings."""

from collections.abc import Sequence

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from ltvl_mm.registry import HOOKS
from ltvl_mm.utils.checkpoints import read_weights
from ltvl_mm.utils.weight_averaging import average_states


@HOOKS.register_module()
class AverageRunsHook(Hook):
    """Load the mean of the weights of several trainings before training.

    A model soup: trainings of one config that differ in seed or subset. To
    average the weights along one training, use mmengine's ``EMAHook``, whose
    average a checkpoint has as its ``state_dict``. A resumed training keeps
    its own weights.

    Args:
        runs: Checkpoints, or training folders (the best checkpoint of each,
            else its last).
        weights: A number >= 0 for each run, not all 0; None for equal ones.

    Raises:
        ValueError: If there is no run; before training, if one is missing,
            runs are of different models, or of another one than the config.
    """

    # Before EMAHook copies the weights.
    priority = 'VERY_HIGH'

    def __init__(
        self, *, runs: Sequence[str], weights: Sequence[float] | None = None
    ) -> None:
        if not runs:
            raise ValueError('AverageRunsHook needs runs to average, got none')
        self.runs = list(runs)
        self.weights = weights

    def before_train(self, runner: Runner) -> None:
        """Load the average, unless the training is resumed."""
        if runner.iter > 0:
            return
        model = runner.model
        if is_model_wrapper(model):
            model = model.module
        states = [read_weights(run) for run in self.runs]
        try:
            model.load_state_dict(average_states(states, self.weights))
        except RuntimeError as error:
            raise ValueError(
                f'the average of {", ".join(self.runs)} does not fit the '
                f'model of the config: {error!s:.1000}'
            ) from None
        print_log(f'began at the average of {len(states)} runs', 'current')
