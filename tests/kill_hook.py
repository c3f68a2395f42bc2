"""A hook that kills a training, and what the training needs to find it."""

import os
import signal
from pathlib import Path

from mmengine.hooks import Hook

TESTS = Path(__file__).parent
OPTION = 'default_hooks.kill.type=kill_hook.KillHook'
VARIABLES = {'PYTHONPATH': os.pathsep.join([str(TESTS.parent), str(TESTS)])}


class KillHook(Hook):
    """End the process as a scheduler does, amid the second epoch."""

    def after_train_iter(self, runner, batch_idx, **_):
        if runner.epoch == 1 and batch_idx == 1:
            os.kill(os.getpid(), signal.SIGKILL)
