"""mmpretrain's tools run on our configs, unchanged."""

from pathlib import Path

import mmpretrain
import pytest

STOCK = Path(mmpretrain.__file__).parent / '.mim/tools'
TACKLE = 'configs/toy/tackle_rx.py'


@pytest.fixture(scope='module')
def trained(run_tool, tmp_path_factory):
    """Folder of a student that mmpretrain's own tool trained."""
    folder = tmp_path_factory.mktemp('stock')
    run_tool(
        *('python', STOCK / 'train.py', TACKLE, '--work-dir', folder),
        *('--cfg-options', 'train_cfg.max_epochs=1'),
        *('train_cfg.val_interval=1', 'train_dataloader.batch_size=16'),
        'train_dataloader.sampler.epoch_size=64',
    )
    return folder


def test_print_config_resolves_our_bases(run_tool):
    log = run_tool(
        'python', STOCK / 'misc/print_config.py', 'configs/tackle_deit_s.py'
    )
    assert "type='ltvl_mm.TACKLEDataset'" in log


def test_get_flops_counts_container(run_tool):
    log = run_tool(
        *('python', STOCK / 'analysis_tools/get_flops.py'),
        'configs/container_light.py',
    )
    assert 'Params: 20.634M' in log


def test_browse_dataset_shows_target_and_retrieved(run_tool, tmp_path):
    run_tool(
        *('python', STOCK / 'visualization/browse_dataset.py', TACKLE),
        *('--output-dir', tmp_path, '--mode', 'original', '--not-show'),
    )
    assert len(list(tmp_path.iterdir())) > 48  # as many are retrieved


def test_analyze_logs_draws_our_metric(run_tool, trained, tmp_path):
    (log,) = trained.glob('*/vis_data/scalars.json')
    run_tool(
        *('python', STOCK / 'analysis_tools/analyze_logs.py', 'plot_curve'),
        *(log, '--keys', 'loss', 'shot/few', '--out', tmp_path / 'few.png'),
    )
    assert (tmp_path / 'few.png').exists()


def test_test_and_what_reads_its_predictions(
    run_tool, trained, toy_root, tmp_path
):
    run_tool(
        *('python', STOCK / 'test.py', TACKLE, trained / 'epoch_1.pth'),
        *('--work-dir', tmp_path, '--out', tmp_path / 'scores.pkl'),
    )
    run_tool(
        *('python', STOCK / 'analysis_tools/confusion_matrix.py', TACKLE),
        *(tmp_path / 'scores.pkl', '--show-path', tmp_path / 'matrix.png'),
    )
    assert (tmp_path / 'matrix.png').exists()
    log = run_tool(
        *('python', STOCK / 'analysis_tools/eval_metric.py'),
        *(tmp_path / 'scores.pkl', '--metric', 'type=ltvl_mm.ShotAccuracy'),
        *(f'class_counts={toy_root}/train.txt', 'num_classes=96'),
    )
    assert "'shot/few'" in log
