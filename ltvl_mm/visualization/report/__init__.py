"""One page that shows what runs reached and what was retrieved."""

from ltvl_mm.utils.lazy_imports import attach_names

__getattr__, __dir__, __all__ = attach_names(
    __name__,
    {
        'page': ['write_report'],
        'retrieved_images': ['Retrieval', 'read_retrieval'],
        'run_scores': ['score_run'],
        'study': ['Study', 'make_study'],
        'training_images': ['pick_training_images'],
    },
)
