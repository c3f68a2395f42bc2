"""One page that shows what runs reached and what was retrieved."""

from ltvl_mm.visualization.report.page import write_report
from ltvl_mm.visualization.report.retrieval import Retrieval, read_retrieval
from ltvl_mm.visualization.report.scores import score_run
from ltvl_mm.visualization.report.study import Study, make_study
from ltvl_mm.visualization.report.training_images import pick_training_images

__all__ = [
    'Retrieval',
    'Study',
    'make_study',
    'pick_training_images',
    'read_retrieval',
    'score_run',
    'write_report',
]
