"""A fixed share of each batch is retrieved."""

from unittest.mock import patch

import numpy as np
import pytest

from ltvl_mm.datasets import samplers
from ltvl_mm.datasets.share_sampler import RetrievedShareSampler


class Mixed:
    """Seven target images, then three retrieved ones."""

    def __init__(self, target=7, retrieved=3):
        self.origins = np.arange(target + retrieved) >= target

    def __len__(self):
        return len(self.origins)

    def get_origins(self):
        return self.origins


def draw(epoch=0, *, dataset=None, rank=0, ranks=1, **options):
    with patch.object(samplers, 'get_dist_info', return_value=(rank, ranks)):
        sampler = RetrievedShareSampler(dataset or Mixed(), seed=0, **options)
    sampler.set_epoch(epoch)
    found = np.array(list(sampler))
    assert len(found) == len(sampler)
    return found


@pytest.mark.parametrize('share', [0.2, 0.29, 0.5])
@pytest.mark.parametrize('ranks', [1, 2])
def test_each_batch_of_each_rank_has_the_share(share, ranks):
    options = dict(share=share, epoch_size=200 * ranks, ranks=ranks)
    for rank in range(ranks):
        retrieved = draw(rank=rank, **options) >= 7
        assert retrieved.sum() == round(200 * share)
        for start in range(0, 200, 20):
            batch = retrieved[start : start + 20].sum()
            assert batch in (np.floor(20 * share), np.ceil(20 * share))


def test_the_default_is_the_share_of_the_data_set():
    found = draw()
    assert sorted(found) == list(range(10))  # each image once


def test_images_of_a_part_come_once_before_any_comes_twice():
    # 2 retrieved and 8 target images an epoch.
    series = [draw(epoch, share=0.2) for epoch in range(21)]
    together = np.concatenate(series)
    for part, size in (
        (together[together >= 7], 3),
        (together[together < 7], 7),
    ):
        for start in range(0, len(part) - size + 1, size):
            assert len(set(part[start : start + size])) == size
    assert not np.array_equal(series[0], series[1])
    assert np.array_equal(series[3], draw(3, share=0.2))


def test_from_an_epoch_on_only_target_images_are_drawn():
    series = [draw(epoch, share=0.2, target_from=3) for epoch in range(10)]
    assert [int((one >= 7).sum()) for one in series] == [2, 2, 2] + [0] * 7
    target = np.concatenate(series)
    target = target[target < 7]
    for start in range(0, len(target) - 6, 7):
        assert len(set(target[start : start + 7])) == 7
    assert (draw(0, target_from=0) < 7).all()


def test_what_cannot_be_shared_is_refused():
    for share in (0, 1, -0.5):
        with pytest.raises(ValueError, match=r'share must lie in \(0, 1\)'):
            draw(share=share)
    with pytest.raises(ValueError, match='target_from must be >= 0'):
        draw(target_from=-1)
    for dataset in (Mixed(3, 0), Mixed(0, 3)):
        with pytest.raises(ValueError, match='needs target and retrieved'):
            draw(dataset=dataset)


def test_an_epoch_that_draws_from_one_part_only_is_refused():
    with pytest.raises(
        ValueError,
        match=r'an epoch of 640 samples in each of 1 processes has no '
        r'retrieved image at a share of 0\.001 ',
    ):
        draw(share=0.001, epoch_size=640)
    assert (draw(share=0.001, epoch_size=1000) >= 7).sum() == 1
    # 1 of 500 for each process is below one image.
    with pytest.raises(ValueError, match='500 samples in each of 2 processes'):
        draw(share=0.001, epoch_size=1000, ranks=2)
    with pytest.raises(ValueError, match='has no retrieved image'):
        draw(dataset=Mixed(99, 1), epoch_size=50)  # the data set's share
    with pytest.raises(ValueError, match='has no target image'):
        draw(share=1 - 1e-12, epoch_size=10)
    assert (draw(share=0.001, epoch_size=64, target_from=0) < 7).all()
