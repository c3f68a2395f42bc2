import json

import torch
from toy_clip import write_toy_classifier


def test_the_file_is_written_checked_and_named(run_here, tmp_path):
    checkpoint = write_toy_classifier(tmp_path / 'a.pth')
    output = run_here(
        'python',
        'tools/model_converters/to_open_clip.py',
        checkpoint,
        tmp_path / 'clip.pt',
        '--arch=ltvl-toy',
    )
    assert f"create_model('ltvl-toy', pretrained='{tmp_path}/clip.pt')" in (
        output
    )
    assert (tmp_path / 'clip.pt').exists()


def test_phase_b_is_folded_in_or_written_beside(run_here, tmp_path):
    neck = dict(
        type='ltvl_mm.BalancedLinearAdapter',
        dim=128,
        activation=None,
        bias=False,
    )
    write_toy_classifier(tmp_path / 'epoch_1.pth', neck=neck)
    (tmp_path / 'last_checkpoint').write_text('epoch_1.pth')
    (tmp_path / 'config.json').write_text(
        json.dumps({'model': {'neck': neck}})
    )
    tool = 'python', 'tools/model_converters/to_open_clip.py', tmp_path
    run_here(*tool, tmp_path / 'folded.pt', '--arch=ltvl-toy')
    output = run_here(
        *tool,
        tmp_path / 'towers.pt',
        '--arch=ltvl-toy',
        f'--adapter={tmp_path}/adapter.pt',
    )
    assert f'adapter: {tmp_path}/adapter.pt' in output
    folded, towers = (
        torch.load(tmp_path / name)['visual.attnpool.c_proj.weight']
        for name in ('folded.pt', 'towers.pt')
    )
    weight = torch.load(tmp_path / 'adapter.pt')['weight']
    blend = 0.2 * weight + 0.8 * torch.eye(128)
    torch.testing.assert_close(folded, blend @ towers)
