"""LIFT in the toy ViT as users run it: CLIP, prompts, crops."""

import pytest
import torch
from toy_clip import write_toy_classifier

from ltvl_mm.structures.predictions import load_predictions


def test_prompts_are_trained_in_the_vit_and_five_crops_tested(
    run_tool, tmp_path
):
    clip = write_toy_classifier(tmp_path / 'clip.pth')
    variables = {
        'LTVL_TOY_CLIP': str(clip),
        'LTVL_TOY_CLIP_VIT': str(tmp_path / 'vit/epoch_1.pth'),
    }
    short = ('train_cfg.max_epochs=1', 'train_dataloader.batch_size=16')
    run_tool(
        *('python', 'tools/train.py', 'configs/toy/clip_vit.py'),
        *('--work-dir', tmp_path / 'vit', '--cfg-options', *short),
        **variables,
    )
    config = 'configs/toy/baselines/lift_vpt.py'
    run_tool(
        *('python', 'tools/train.py', config, '--work-dir', tmp_path / 'lift'),
        *('--cfg-options', *short, 'train_cfg.val_interval=1'),
        'train_dataloader.sampler.epoch_size=32',
        **variables,
    )
    first = read_weights(tmp_path / 'vit')
    last = read_weights(tmp_path / 'lift')
    block = 'visual.transformer.resblocks.2.'
    own = 'backbone.backbone.' + block
    assert torch.equal(
        last[own + 'module.attn.in_proj_weight'],
        first[f'backbone.{block}attn.in_proj_weight'],
    )
    assert last[own + 'prompts'].shape == (10, 96)
    scores = []
    for flags in ((), ('--tta',)):
        run_tool(
            *('python', 'tools/test.py', config, tmp_path / 'lift', *flags),
            *('--work-dir', tmp_path, '--out', tmp_path / 'scores.npz'),
            **variables,
        )
        found = load_predictions(tmp_path / 'scores.npz')
        assert found.probabilities.sum(1) == pytest.approx(1, abs=1e-4)
        scores.append(found.probabilities)
    assert scores[0].shape == scores[1].shape == (96, 96)
    assert abs(scores[0] - scores[1]).max() > 1e-6


def read_weights(folder):
    return torch.load(folder / 'epoch_1.pth', weights_only=False)['state_dict']
