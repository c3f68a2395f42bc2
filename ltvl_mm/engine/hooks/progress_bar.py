"""A progress bar over a whole training or test run."""

from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner
from tqdm import tqdm

from ltvl_mm.registry import HOOKS
from ltvl_mm.utils.progress import progress_bar


@HOOKS.register_module()
class ProgressBarHook(Hook):
    """Show iterations, rate and time left on stderr; the log is untouched."""

    def __init__(self) -> None:
        self._bar: tqdm | None = None

    def before_train(self, runner: Runner) -> None:
        """Open the bar at the iteration that the run resumes from."""
        self._open('train', runner.max_iters, runner.iter)

    def before_test(self, runner: Runner) -> None:
        """Open the bar of a test."""
        self._open('test', len(runner.test_dataloader), 0)

    def _after_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: object = None,
        outputs: object = None,
        mode: str = 'train',
    ) -> None:
        """Move by one iteration of a training or a test."""
        if self._bar is not None and mode != 'val':
            self._bar.update()

    def after_run(self, runner: Runner) -> None:
        """Close the bar."""
        if self._bar is not None:
            self._bar.close()

    def _open(self, title: str, total: int, done: int) -> None:
        if is_main_process():
            self._bar = progress_bar(
                total=total, done=done, title=title, unit='it'
            )
