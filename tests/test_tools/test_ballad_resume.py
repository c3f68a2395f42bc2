"""BALLAD's phase A, killed and resumed, ends where a quiet run does."""

import json

import kill_hook
import torch
from toy_clip import write_toy_classifier

PARTS = ('backbone', 'head')
SMALL = (
    'train_cfg.max_epochs=2',
    'train_cfg.val_interval=1',
    'train_dataloader.batch_size=16',
    'train_dataloader.sampler.epoch_size=64',
    # From random weights, whose metrics would not move so soon.
    'model.backbone.freeze_bn=False',
    'optim_wrapper.optimizer.lr=0.05',
)


def read_scalars(folder):
    """Return losses, rates and metrics that the runs in a folder logged."""
    lines = [
        line
        for file in sorted(folder.glob('*/vis_data/scalars.json'))
        for line in file.read_text().splitlines()
    ]
    times = ('time', 'data_time')
    return [
        {name: row[name] for name in row if name not in times}
        for row in map(json.loads, lines)
    ]


def test_a_killed_phase_a_resumes_to_the_same_metrics(
    run_tool, run_here, tmp_path
):
    clip = write_toy_classifier(tmp_path / 'clip.pth')

    def train(run, folder, *options, resume=(), **settings):
        return run(
            *('python', 'tools/train.py', 'configs/toy/ballad/ballad_a.py'),
            *('--work-dir', folder, *resume, '--cfg-options', *SMALL),
            *(f'model.{part}.pretrained={clip}' for part in PARTS),
            *options,
            **settings,
        )

    quiet, killed = tmp_path / 'quiet', tmp_path / 'killed'
    train(run_here, quiet)
    train(
        *(run_tool, killed, kill_hook.OPTION),
        status=-9,
        **kill_hook.VARIABLES,
    )
    assert (killed / 'epoch_1.pth').exists()
    assert not (killed / 'epoch_2.pth').exists()
    assert 'resumed epoch: 1' in train(run_here, killed, resume=['--resume'])
    scalars = read_scalars(quiet)
    assert read_scalars(killed) == scalars
    assert sum('shot/all' in row for row in scalars) == 2
    losses = [row['loss'] for row in scalars if 'loss' in row]
    assert len(set(losses)) == 2  # else a repeated epoch would not show
    resumed, expected = (
        torch.load(folder / 'epoch_2.pth', weights_only=False)['state_dict']
        for folder in (killed, quiet)
    )
    assert resumed.keys() == expected.keys()
    for name, weight in expected.items():
        assert torch.equal(resumed[name], weight), name
