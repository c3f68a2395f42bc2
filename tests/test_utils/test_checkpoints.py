import pytest

from ltvl_mm.utils.checkpoints import find_checkpoint


def test_a_file_or_an_address_stays_as_it_is(tmp_path):
    assert find_checkpoint('https://a.b/c.pth') == 'https://a.b/c.pth'
    assert find_checkpoint(tmp_path / 'a.pth') == str(tmp_path / 'a.pth')


def test_a_folder_means_its_best_checkpoint_else_its_last(tmp_path):
    with pytest.raises(ValueError, match='holds no checkpoint; train first'):
        find_checkpoint(tmp_path)
    (tmp_path / 'last_checkpoint').write_text('/elsewhere/epoch_3.pth\n')
    assert find_checkpoint(tmp_path) == str(tmp_path / 'epoch_3.pth')
    best = tmp_path / 'best_shot_all_epoch_2.pth'
    best.touch()
    assert find_checkpoint(tmp_path) == str(best)
    (tmp_path / 'best_shot_few_epoch_1.pth').touch()
    with pytest.raises(ValueError, match='several best checkpoints'):
        find_checkpoint(tmp_path)
