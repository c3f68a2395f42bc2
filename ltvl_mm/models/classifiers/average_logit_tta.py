"""Several views of an image, one answer: the mean of their logits."""

import torch
from mmpretrain.models.tta import AverageClsScoreTTA
from mmpretrain.structures import DataSample

from ltvl_mm.registry import MODELS


@MODELS.register_module()
class AverageLogitTTA(AverageClsScoreTTA):
    """Average what a classifier says of views before the softmax, not after.

    The views are those of mmcv's ``TestTimeAug`` in ``tta_pipeline``. Source:
    test-time ensembling of LIFT, Shi et al. 2024 (arXiv 2309.10019), and its
    code. Arguments are mmpretrain's.
    """

    def _merge_single_sample(
        self, data_samples: list[DataSample]
    ) -> DataSample:
        """Merge the predictions of the views of an image."""
        scores = torch.stack([s.pred_score for s in data_samples])  # (V, K)
        # The logits but for a number per view, which no class gains by.
        logits = scores.clamp(min=torch.finfo(scores.dtype).tiny).log()
        mean = logits.mean(0)
        merged = data_samples[0].new()
        return merged.set_pred_score(mean.softmax(0)).set_pred_label(
            mean.argmax()
        )
