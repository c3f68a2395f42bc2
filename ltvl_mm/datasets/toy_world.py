"""The toy world's labelled lists as a registered data set."""

from ltvl_mm.datasets.world_list import WorldList
from ltvl_mm.registry import DATASETS


@DATASETS.register_module()
class ToyWorld(WorldList):
    """A split of a toy world that ``make_toy_world.py`` has written.

    Arguments are those of :class:`~ltvl_mm.datasets.world_list.WorldList`.
    """

    title = 'toy world'
    made_by = 'tools/dataset_converters/make_toy_world.py'
