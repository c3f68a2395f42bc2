from ltvl_mm.evaluation.accuracy_table import format_accuracies, format_mean


def make_row(method, value):
    return dict(method=method, many=value, medium=1.0, few=0.04, all=2.0)


def test_a_method_is_a_line_with_mean_and_spread_over_seeds():
    rows = [make_row('b', 10.0), make_row('a', 5.0)]
    rows += [make_row('b', 12.0), make_row('a', 5.0)]
    assert format_accuracies(rows).splitlines() == [
        '| method | many | medium | few | all |',
        '| :-- | --: | --: | --: | --: |',
        '| b | 11.0 ± 1.4 | 1.0 ± 0.0 | 0.0 ± 0.0 | 2.0 ± 0.0 |',
        '| a | 5.0 ± 0.0 | 1.0 ± 0.0 | 0.0 ± 0.0 | 2.0 ± 0.0 |',
    ]


def test_a_group_without_classes_has_a_dash():
    # As in CIFAR-10-LT of ratio 100: no class has fewer than 50 images.
    row = make_row('a', 5.0)
    del row['few']
    last = format_accuracies([row]).splitlines()[-1]
    assert last == '| a | 5.0 | 1.0 | – | 2.0 |'


def test_one_seed_has_no_spread_and_counts_stay_whole():
    assert format_mean([3.14]) == '3.1'
    assert format_mean([7]) == '7'
