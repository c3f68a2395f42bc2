import numpy as np
import pytest
from small_inputs import write_manifest

from ltvl_mm.structures.manifest_file import load_manifest
from ltvl_mm.visualization.report.accuracy_chart import draw_accuracy
from ltvl_mm.visualization.report.arrow_chart import (
    draw_arrows,
    pick_extremes,
)
from ltvl_mm.visualization.report.confusion_chart import draw_confusion
from ltvl_mm.visualization.report.probability_chart import rank_values

COUNTS = np.array([200, 50, 10, 2])


def test_a_method_has_dots_and_a_curve_with_one_legend_entry():
    accuracies = {
        'a': np.array([90.0, 50, 20, np.nan]),
        'b': np.array([80.0, 60, 40, 20]),
    }
    figure = draw_accuracy(COUNTS, accuracies, ('c1', 'c2', 'c3', 'c4'))
    dots, curves = figure.data[:2], figure.data[2:]
    assert [trace.mode for trace in figure.data] == ['markers'] * 2 + [
        'lines'
    ] * 2
    assert dots[0].text == ('c1', 'c2', 'c3', 'c4')
    assert {trace.showlegend for trace in dots} == {False}
    assert dots[1].legendgroup == curves[1].legendgroup == 'b'
    assert curves[0].x[0] == 200
    assert curves[0].x[-1] == 10  # the rarest class was not tested
    assert figure.layout.xaxis.autorange == 'reversed'


def test_the_largest_changes_are_labeled_unless_labels_overlap():
    before = np.array([50.0, 50, 50, 50])
    after = np.array([40.0, 50, 80, 79])
    names = ('<b>many</b> of a long name', 'same', 'gain', 'near gain')
    figure = draw_arrows(
        (COUNTS, before),
        (COUNTS + np.array([0, 0, 0, 8]), after),
        names,
        np.array(['many', 'medium', 'few', 'few']),
    )
    (labels,) = (trace for trace in figure.data if trace.mode == 'text')
    # 'near gain' ends where 'gain' does.
    assert labels.text == ('gain', '&lt;b>many&lt;/b> of a…')
    assert labels.textposition == ('top center', 'bottom center')


def test_extremes_leave_out_untested_classes_and_losses():
    change = np.array([np.nan, 3.0, -1.0, 7.0, 0.0])
    assert pick_extremes(change, 5).tolist() == [3, 1]
    assert pick_extremes(-change, 5).tolist() == [2]


def test_both_axes_of_a_confusion_have_names():
    figure = draw_confusion(np.zeros((2, 3)), ['a & b', 'c' * 30])
    assert figure.layout.yaxis.ticktext == ('a &amp; b', f'{"c" * 17}…')
    assert figure.layout.xaxis.ticktext[-1] == 'any other'


def test_quartiles_by_rank_are_over_the_classes_that_have_it(tmp_path):
    names = ('a', 'b', 'c', 'd')
    manifest = load_manifest(write_manifest(tmp_path, names, [0, 0, 1, 2, 2]))
    groups = np.array(['many', 'few', 'few', 'few'])
    values = np.array([1.0, 2, 3, 5, 7])
    found = rank_values(manifest, values, groups)
    assert list(found) == ['many', 'few', 'all']
    assert found['few'][1].tolist() == [4, 7]
    assert found['all'][1].tolist() == [3, pytest.approx(4.5)]
    assert found['few'][:, 0].tolist() == [3.5, 4, 4.5]
