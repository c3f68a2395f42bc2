"""Our registries: children of mmengine's roots, so that any config of any
OpenMMLab project writes ``type='ltvl_mm.X'`` and needs nothing else.

The parent is mmengine's root and not mmpretrain's registry: with the latter
a look-up from the root fails, or depends on what was imported before.
"""

from importlib import import_module

from mmengine.registry import DATA_SAMPLERS as MMENGINE_DATA_SAMPLERS
from mmengine.registry import DATASETS as MMENGINE_DATASETS
from mmengine.registry import FUNCTIONS as MMENGINE_FUNCTIONS
from mmengine.registry import HOOKS as MMENGINE_HOOKS
from mmengine.registry import METRICS as MMENGINE_METRICS
from mmengine.registry import MODELS as MMENGINE_MODELS
from mmengine.registry import (
    OPTIM_WRAPPER_CONSTRUCTORS as MMENGINE_OPTIM_WRAPPER_CONSTRUCTORS,
)
from mmengine.registry import OPTIM_WRAPPERS as MMENGINE_OPTIM_WRAPPERS
from mmengine.registry import TRANSFORMS as MMENGINE_TRANSFORMS
from mmengine.registry import Registry


class _Registry(Registry):
    """Registry whose locations are packages that import their parts lazily."""

    _imported: bool

    def import_from_location(self) -> None:
        """Import every public name of the locations, which registers it."""
        if self._imported:
            return
        super().import_from_location()
        try:
            for location in self._locations:
                package = import_module(location)
                for name in package.__all__:
                    getattr(package, name)
        except BaseException:
            # The next look-up must fail in the same way.
            self._imported = False
            raise


def _child(name: str, parent: Registry, *locations: str) -> Registry:
    return _Registry(
        name, parent=parent, scope='ltvl_mm', locations=list(locations)
    )


DATASETS = _child('dataset', MMENGINE_DATASETS, 'ltvl_mm.datasets')
DATA_SAMPLERS = _child(
    'data sampler', MMENGINE_DATA_SAMPLERS, 'ltvl_mm.datasets'
)
FUNCTIONS = _child('function', MMENGINE_FUNCTIONS, 'ltvl_mm.datasets')
# A hook that draws lives where drawing does.
HOOKS = _child(
    'hook', MMENGINE_HOOKS, 'ltvl_mm.engine', 'ltvl_mm.visualization'
)
METRICS = _child('metric', MMENGINE_METRICS, 'ltvl_mm.evaluation')
MODELS = _child('model', MMENGINE_MODELS, 'ltvl_mm.models')
OPTIM_WRAPPERS = _child(
    'optim_wrapper', MMENGINE_OPTIM_WRAPPERS, 'ltvl_mm.engine'
)
OPTIM_WRAPPER_CONSTRUCTORS = _child(
    'optimizer wrapper constructor',
    MMENGINE_OPTIM_WRAPPER_CONSTRUCTORS,
    'ltvl_mm.engine',
)
TRANSFORMS = _child('transform', MMENGINE_TRANSFORMS, 'ltvl_mm.datasets')
