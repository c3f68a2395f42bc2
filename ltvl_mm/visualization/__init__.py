"""Pictures of data and results: the only place that draws."""

from ltvl_mm.visualization.long_tail_vis_hook import LongTailVisHook

__all__ = ['LongTailVisHook']
