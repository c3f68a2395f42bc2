"""Per-class accuracy as a picture, at each validation of a training."""

from mmengine.hooks import Hook
from mmengine.runner import Runner

from ltvl_mm.evaluation import ShotAccuracy
from ltvl_mm.registry import HOOKS


@HOOKS.register_module()
class LongTailVisHook(Hook):
    """Show the accuracy of each class against its training images.

    The picture goes to ``runner.visualizer``, and so to the files,
    TensorBoard or W&B that ``vis_backends`` names, as ``shot_per_class``.
    Frequent classes are on the left, as on the page of ``tools/report.py``.
    The curves of many, medium, few and all are there without this hook:
    mmengine's LoggerHook logs the numbers of ``ltvl_mm.ShotAccuracy`` under
    the same steps.

    Args:
        by_epoch: The step is the epoch, else the iteration; as LoggerHook's
            ``log_metric_by_epoch``.

    Raises:
        ImportError: If there is no matplotlib.
        ValueError: If the training has no ``ltvl_mm.ShotAccuracy`` in its
            ``val_evaluator``.
    """

    # After LoggerHook, so that the picture follows its numbers.
    priority = 'LOWEST'

    def __init__(self, *, by_epoch: bool = True) -> None:
        self.by_epoch = by_epoch
        self._metrics: list[ShotAccuracy] = []
        # Here, so that who trains without this hook needs no matplotlib.
        try:
            from ltvl_mm.visualization import class_accuracy
        except ImportError as error:
            raise ImportError(
                "LongTailVisHook needs matplotlib: pip install 'ltvl-mm"
                "[visualization]'"
            ) from error
        self._render = class_accuracy.render_class_accuracy

    def before_train(self, runner: Runner) -> None:
        """Find a config without the metric before the work."""
        evaluator = runner.val_evaluator if runner.val_loop else None
        self._metrics = [
            metric
            for metric in getattr(evaluator, 'metrics', ())
            if isinstance(metric, ShotAccuracy)
        ]
        if not self._metrics:
            raise ValueError(
                'LongTailVisHook shows what ltvl_mm.ShotAccuracy measures; '
                'val_evaluator has none'
            )

    def after_val_epoch(
        self, runner: Runner, metrics: dict[str, float] | None = None
    ) -> None:
        """Draw what was measured; only the first rank knows it."""
        for metric in self._metrics:
            if metric.class_accuracies is None:
                continue
            kind = 'epoch' if self.by_epoch else 'iteration'
            step = runner.epoch if self.by_epoch else runner.iter
            picture = self._render(
                metric.class_counts,
                {f'{kind} {step}': metric.class_accuracies},
                f'{metric.prefix}: validation of {runner.experiment_name}',
            )
            runner.visualizer.add_image(
                f'{metric.prefix}_per_class', picture, step
            )
