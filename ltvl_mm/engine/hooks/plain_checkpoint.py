"""Hook that saves checkpoints as plain data."""

import logging

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import Runner

from ltvl_mm.registry import HOOKS
from ltvl_mm.utils.mmengine_checkpoints import make_plain_checkpoint


@HOOKS.register_module()
class PlainCheckpointHook(Hook):
    """Save checkpoints that ``torch.load(weights_only=True)`` reads.

    mmengine saves log histories as objects whose pickle needs ``getattr``.
    ``tools/train.py`` adds this hook to every training; for mmpretrain's own
    tool, add it to ``custom_hooks``.
    """

    # After the hooks that add to a checkpoint.
    priority = 'LOWEST'

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Replace what is not plain data; warn of what cannot be replaced."""
        left = make_plain_checkpoint(checkpoint)
        if left:
            print_log(
                f'the checkpoint holds {len(left)} values that are not plain '
                f'data, so it may not load again: {", ".join(left[:5])}',
                'current',
                logging.WARNING,
            )
