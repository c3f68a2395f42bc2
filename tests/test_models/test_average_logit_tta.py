"""Views of an image, averaged before the softmax."""

import pytest
import torch
from mmpretrain.structures import DataSample
from torch import nn

from ltvl_mm.models import AverageLogitTTA


class Module(nn.Module):
    def test_step(self, data):
        raise NotImplementedError


def merge(views):
    samples = [
        DataSample().set_pred_score(view.softmax(0)).set_pred_label(0)
        for view in views
    ]
    (merged,) = AverageLogitTTA(Module()).merge_preds([samples])
    return merged


def test_logits_are_averaged_and_not_probabilities():
    # One view is sure of class 0, two lean to class 1.
    views = torch.tensor([[3.0, 0], [0, 2], [0, 2]])
    merged = merge(views)
    expected = torch.tensor([1, 4 / 3]).softmax(0)
    assert merged.pred_score.tolist() == pytest.approx(expected.tolist())
    assert merged.pred_label.tolist() == [1]
    assert views.softmax(1).mean(0).argmax() == 1
    # A number added to all logits of a view changes nothing.
    shifted = merge(views + torch.tensor([[5.0], [0], [-9]]))
    assert torch.allclose(shifted.pred_score, merged.pred_score)


def test_a_class_of_no_probability_stays_finite():
    merged = merge(torch.tensor([[0.0, 300], [0, 0]]))
    assert merged.pred_score.isfinite().all()
    assert merged.pred_label.tolist() == [1]
