"""Hook that seeds the random generators at each epoch."""

from collections.abc import Iterator

from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import IterBasedTrainLoop, Runner
from torch.utils.data import DataLoader

from ltvl_mm.registry import FUNCTIONS, HOOKS
from ltvl_mm.utils.rng import seed_libraries


@HOOKS.register_module()
class EpochSeedHook(Hook):
    """Seed torch, numpy and random by [seed, epoch, rank] at each epoch.

    Dropout and (through ``ltvl_mm.seed_worker``) augmentation are then the
    same in a run that was killed and resumed as in an undisturbed run.

    This needs a training by epochs, ``persistent_workers=False`` and
    ``worker_init_fn=dict(type='ltvl_mm.seed_worker')``; warnings at the start
    of training name what is missing. In mmengine's ``IterBasedTrainLoop``,
    which has one epoch, the generators are seeded once, by
    [seed, iteration, rank], so that a resumed run does not repeat the random
    numbers of the first iterations.
    """

    priority = 'VERY_HIGH'

    def __init__(self) -> None:
        self._by_iteration = False

    def before_train(self, runner: Runner) -> None:
        """Warn if a resumed run would differ from an undisturbed run."""
        loop = runner.train_loop
        self._by_iteration = isinstance(loop, IterBasedTrainLoop)
        if self._by_iteration:
            print_log(
                f'EpochSeedHook cannot repeat the random numbers of a resumed '
                f'run in {type(loop).__name__}, which starts the data-loader '
                f'workers once and not at each epoch: a resumed run gets '
                f'other augmentations and dropout than an undisturbed run. '
                f'To avoid this, train by epochs: '
                f'train_cfg=dict(by_epoch=True, max_epochs=...)',
                'current',
                level=30,
            )
            return
        for problem in _find_loader_problems(runner.train_dataloader):
            print_log(problem, 'current', level=30)

    def before_train_epoch(self, runner: Runner) -> None:
        """Seed; mmengine starts the data-loader workers right after this."""
        step = runner.iter if self._by_iteration else runner.epoch
        seed_libraries(runner.seed, step, get_rank())


def _find_loader_problems(loader: DataLoader) -> Iterator[str]:
    """Yield a sentence for each setting that keeps workers from the seed."""
    if not loader.num_workers:
        return
    if loader.persistent_workers:
        yield (
            'EpochSeedHook does not reach data-loader workers that live for '
            'several epochs: a resumed run gets other augmentations than an '
            'undisturbed run; set train_dataloader.persistent_workers=False'
        )
    init = loader.worker_init_fn
    # mmengine wraps the function in functools.partial.
    if getattr(init, 'func', init) is not FUNCTIONS.get('ltvl_mm.seed_worker'):
        yield (
            'EpochSeedHook does not decide the augmentations of workers that '
            'another function seeds (mmengine uses the same seed in each '
            "epoch); set train_dataloader.worker_init_fn=dict(type='ltvl_mm."
            "seed_worker')"
        )
