"""A progress bar over a whole training run."""

from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner

from ltvl_mm.registry import HOOKS
from ltvl_mm.utils.progress import progress_bar


@HOOKS.register_module()
class ProgressBarHook(Hook):
    """Show iterations, rate and time left on stderr.

    Args:
        title: What is being trained.
    """

    def __init__(self, title: str = 'train') -> None:
        self.title = title
        self._bar = None

    def before_train(self, runner: Runner) -> None:
        """Open the bar at the iteration that the run resumes from."""
        if is_main_process():
            self._bar = progress_bar(
                total=runner.max_iters,
                done=runner.iter,
                title=self.title,
                unit='it',
            )

    def after_train_iter(
        self, runner: Runner, *args: object, **kwargs: object
    ) -> None:
        """Move by one iteration."""
        if self._bar is not None:
            self._bar.update()

    def after_train(self, runner: Runner) -> None:
        """Close the bar."""
        if self._bar is not None:
            self._bar.close()
