"""Python API: models, inference, embedding and retrieval."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ltvl_mm.apis.image_embedding import embed
    from ltvl_mm.apis.image_retrieval import prepare_retrieval, retrieve
    from ltvl_mm.apis.inferencer import LongTailInferencer
    from ltvl_mm.apis.model_hub import get_model, list_models
    from ltvl_mm.apis.retrieval_check import check_retrieval
    from ltvl_mm.apis.retrieval_settings import RetrievalSettings
    from ltvl_mm.apis.tackle_run.run import run_tackle
    from ltvl_mm.apis.tackle_run.settings import RunOptions

__all__ = [
    'LongTailInferencer',
    'RetrievalSettings',
    'RunOptions',
    'check_retrieval',
    'embed',
    'get_model',
    'list_models',
    'prepare_retrieval',
    'retrieve',
    'run_tackle',
]

_HOMES = {
    'LongTailInferencer': 'inferencer',
    'RetrievalSettings': 'retrieval_settings',
    'RunOptions': 'tackle_run.settings',
    'check_retrieval': 'retrieval_check',
    'embed': 'image_embedding',
    'get_model': 'model_hub',
    'list_models': 'model_hub',
    'prepare_retrieval': 'image_retrieval',
    'retrieve': 'image_retrieval',
    'run_tackle': 'tackle_run.run',
}


def __getattr__(name: str) -> object:
    """Import a part when it is asked for: not all machines have all needs.

    Raises:
        ImportError: If what the part needs is not installed.
    """
    if name not in _HOMES:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    try:
        module = import_module(f'{__name__}.{_HOMES[name]}')
    except ModuleNotFoundError as error:
        raise ImportError(
            f"ltvl_mm.{name} needs {error.name}: pip install '.[retrieval]' "
            f'in the clone; for OpenMMLab packages see '
            f'python -m ltvl_mm.check_env'
        ) from error
    return getattr(module, name)
