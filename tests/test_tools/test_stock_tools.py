"""mmpretrain's tools run on our configs, unchanged."""

from pathlib import Path

import mmpretrain
import pytest
from leaves import find_leaf
from small_inputs import ROOT

STOCK = Path(mmpretrain.__file__).parent / '.mim/tools'
# mmpretrain's tools have no --retrieved.
TACKLE = """
_base_ = '{config}'

train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='ltvl_mm.TACKLEDataset',
        manifest='{manifest}',
        dataset=_base_.train_dataloader.dataset,
    )
)
"""


@pytest.fixture(scope='module')
def tackle(toy_manifest, tmp_path_factory):
    """Config of a student that trains on retrieved images, too."""
    file = tmp_path_factory.mktemp('config') / 'tackle.py'
    config = ROOT / 'configs/toy/cross_entropy/cross_entropy_r18.py'
    file.write_text(TACKLE.format(config=config, manifest=toy_manifest))
    return file


@pytest.fixture(scope='module')
def trained(run_here, tackle, tmp_path_factory):
    """Folder of a student that mmpretrain's own tool trained."""
    folder = tmp_path_factory.mktemp('stock')
    run_here(
        *('python', STOCK / 'train.py', tackle, '--work-dir', folder),
        *('--cfg-options', 'train_cfg.max_epochs=1'),
        *('train_cfg.val_interval=1', 'train_dataloader.batch_size=16'),
        'train_dataloader.sampler.epoch_size=64',
    )
    return folder


def test_print_config_resolves_our_bases(run_here):
    log = run_here(
        'python', STOCK / 'misc/print_config.py', find_leaf('tackle_deit-s')
    )
    assert "type='ltvl_mm.TACKLEDataset'" in log


def test_get_flops_counts_container(run_here):
    log = run_here(
        *('python', STOCK / 'analysis_tools/get_flops.py'),
        find_leaf('cross_entropy_container-light'),
    )
    assert 'Params: 20.634M' in log


def test_browse_dataset_shows_target_and_retrieved(run_here, tackle, tmp_path):
    run_here(
        *('python', STOCK / 'visualization/browse_dataset.py', tackle),
        *('--output-dir', tmp_path, '--mode', 'original', '--not-show'),
    )
    assert len(list(tmp_path.iterdir())) > 48  # as many are retrieved


def test_analyze_logs_draws_our_metric(run_here, trained, tmp_path):
    (log,) = trained.glob('*/vis_data/scalars.json')
    run_here(
        *('python', STOCK / 'analysis_tools/analyze_logs.py', 'plot_curve'),
        *(log, '--keys', 'loss', 'shot/few', '--out', tmp_path / 'few.png'),
    )
    assert (tmp_path / 'few.png').exists()


def test_test_and_what_reads_its_predictions(
    run_here, tackle, trained, toy_root, tmp_path
):
    run_here(
        *('python', STOCK / 'test.py', tackle, trained / 'epoch_1.pth'),
        *('--work-dir', tmp_path, '--out', tmp_path / 'scores.pkl'),
    )
    run_here(
        *('python', STOCK / 'analysis_tools/confusion_matrix.py', tackle),
        *(tmp_path / 'scores.pkl', '--show-path', tmp_path / 'matrix.png'),
    )
    assert (tmp_path / 'matrix.png').exists()
    log = run_here(
        *('python', STOCK / 'analysis_tools/eval_metric.py'),
        *(tmp_path / 'scores.pkl', '--metric', 'type=ltvl_mm.ShotAccuracy'),
        *(f'class_counts={toy_root}/train.txt', 'num_classes=96'),
    )
    assert "'shot/few'" in log
