"""The emoji world's labeled lists as a registered data set."""

from ltvl_mm.datasets.world_list import WorldList
from ltvl_mm.registry import DATASETS


@DATASETS.register_module()
class EmojiWorld(WorldList):
    """A split of an emoji world that ``make_emoji_world.py`` has written.

    Arguments are those of :class:`~ltvl_mm.datasets.world_list.WorldList`.
    The pictures are OpenMoji's, CC BY-SA 4.0: show
    :data:`~ltvl_mm.datasets.emoji_concepts.ATTRIBUTION` where you show them.
    """

    title = 'emoji world'
    made_by = 'tools/dataset_converters/make_emoji_world.py'
