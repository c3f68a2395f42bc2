from dataclasses import replace

import pytest

from ltvl_mm.evaluation.verdict import (
    Comparison,
    describe_change,
    find_direction,
    judge_retrieval,
    reduce_budget,
)

GOOD = Comparison(
    method='tackle',
    baseline='plain',
    accuracy=54.12,
    changes={
        'few': (26.3, 20.1, 31.0),
        'medium': (-1.0, -3.0, 1.0),
        'all': (8.72, 6.1, 11.2),
    },
    retrieved=2000,
    seeds=3,
)


def test_three_sentences_on_images_that_help():
    verdict = judge_retrieval(GOOD)
    assert verdict.kind == 'helps'
    assert verdict.sentences == (
        '2,000 retrieved images help: tackle classifies 54.1 % of the test '
        'images correctly, 8.7 points more than plain (95 % interval +6.1 to '
        '+11.2).',
        'Few-shot classes gain, +26.3 points (+20.1 to +31.0); medium-shot '
        'classes change unclearly, -1.0 points (-3.0 to +1.0).',
        'Next: use tackle; more seeds show how much depends on the seed, and '
        'more retrieved images (--budget) may help further.',
    )


def test_an_interval_that_includes_zero_is_unclear():
    found = replace(
        GOOD, changes={'all': (-0.4, -1.2, 0.4)}, retrieved=None, seeds=1
    )
    verdict = judge_retrieval(found)
    assert verdict.kind == 'unclear'
    assert verdict.overall.startswith(
        'It is not clear that retrieved images change anything: tackle '
        'classifies 54.1 % of the test images correctly, 0.4 points less than'
    )
    assert verdict.groups.startswith('No groups of classes')
    assert verdict.next_step.startswith('Next: one seed was trained; train')


def test_images_that_hurt_name_the_classes_to_look_at():
    found = replace(
        GOOD,
        changes={'all': (-3.0, -4.0, -2.0), 'many': (-9.0, -12.0, -6.0)},
        losing_classes=['cat', 'dog', 'owl', 'toad'],
    )
    verdict = judge_retrieval(found)
    assert verdict.kind == 'hurts'
    assert verdict.overall.startswith('2,000 retrieved images hurt: ')
    assert verdict.groups == (
        'Many-shot classes lose, -9.0 points (-12.0 to -6.0).'
    )
    assert '(cat, dog, owl); rename' in verdict.next_step


def test_groups_that_lose_get_more_images_that_are_certain():
    changes = GOOD.changes | {'many': (-2.0, -3.0, -1.0)}
    verdict = judge_retrieval(replace(GOOD, changes=changes))
    assert verdict.kind == 'helps'
    assert verdict.next_step.startswith(
        'Next: many-shot classes lose, so retrieve more images and leave out '
        'uncertain ones (--budget balance_to:300 --min-probability 0.5, with '
        'background names also --temperature auto --val STORE LIST); if '
        'they are left out already, take fewer (--budget balance_to:N with a '
        'smaller N), or mix both models'
    )
    known = replace(GOOD, changes=changes, smaller_budget='balance_to:25')
    assert '(--budget balance_to:25)' in judge_retrieval(known).next_step


@pytest.mark.parametrize(
    ('wanted', 'expected'),
    [
        ([0, 30, 47], 'balance_to:25'),  # balance_to:50
        ([300, 300, 300], 'balance_to:300'),
        ([0, 40, 60], 'balance_to:30'),  # a list of its own
    ],
)
def test_the_next_budget_depends_on_the_present_one(wanted, expected):
    assert reduce_budget(wanted, [90, 20, 3]) == expected


@pytest.mark.parametrize(
    ('change', 'begin'),
    [
        (8.0, 'Next: use tackle, and improve the retrieval, because '),
        (-8.0, 'Next: improve the retrieval before training again, because '),
    ],
)
def test_bad_retrieval_comes_before_other_advice(change, begin):
    changes = {'all': (change, change - 1, change + 1)}
    warned = replace(
        GOOD,
        changes=changes,
        precision=8.0,
        warnings=[{'reason': 'CLIP guesses', 'remedies': ['Rename.', 'No.']}],
    )
    assert judge_retrieval(warned).next_step == f'{begin}CLIP guesses. Rename.'
    measured = replace(warned, warnings=())
    assert judge_retrieval(measured).next_step.startswith(
        f'{begin}8 % of the retrieved images show their class'
    )
    fine = replace(measured, precision=50.0)
    assert 'improve the retrieval' not in judge_retrieval(fine).next_step


def test_direction_and_words_of_a_change():
    assert find_direction((1.0, 0.1, 2.0)) == 1
    assert find_direction((1.0, 0.0, 2.0)) == 0
    assert find_direction((-1.0, -2.0, -0.1)) == -1
    assert describe_change((0.04, -1, 2)) == '+0.0 points (-1.0 to +2.0)'


def test_a_verdict_needs_all_test_images():
    with pytest.raises(ValueError, match='needs the change on all test'):
        judge_retrieval(replace(GOOD, changes={'few': (1.0, 0.0, 2.0)}))
