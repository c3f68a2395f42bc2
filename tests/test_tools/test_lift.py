"""LIFT in the toy ViT as users run it: CLIP, prompts, crops."""

import pytest
import torch
from toy_clip import write_toy_classifier

from ltvl_mm.structures.predictions import load_predictions

CONFIG = 'configs/toy/lift/lift_vpt.py'


def test_prompts_are_trained_in_the_vit_and_five_crops_tested(
    run_here, tmp_path
):
    clip = write_toy_classifier(tmp_path / 'clip.pth', arch='ltvl-toy-vit')
    weights = (
        f'model.backbone.backbone.pretrained={clip}',
        f'model.head.pretrained={clip}',
    )
    run_here(
        *('python', 'tools/train.py', CONFIG, '--work-dir', tmp_path / 'lift'),
        *('--cfg-options', *weights, 'train_cfg.max_epochs=1'),
        *('train_dataloader.batch_size=16', 'train_cfg.val_interval=1'),
        'train_dataloader.sampler.epoch_size=32',
    )
    first = read_weights(clip)
    last = read_weights(tmp_path / 'lift/epoch_1.pth')
    block = 'visual.transformer.resblocks.2.'
    own = 'backbone.backbone.' + block
    assert torch.equal(
        last[own + 'module.attn.in_proj_weight'],
        first[f'backbone.{block}attn.in_proj_weight'],
    )
    assert last[own + 'prompts'].shape == (10, 144)
    scores = []
    for flags in ((), ('--tta',)):
        run_here(
            *('python', 'tools/test.py', CONFIG, tmp_path / 'lift', *flags),
            *('--work-dir', tmp_path, '--out', tmp_path / 'scores.npz'),
            *('--cfg-options', *weights),
        )
        found = load_predictions(tmp_path / 'scores.npz')
        assert found.probabilities.sum(1) == pytest.approx(1, abs=1e-4)
        scores.append(found.probabilities)
    assert scores[0].shape == scores[1].shape == (96, 96)
    assert abs(scores[0] - scores[1]).max() > 1e-6


def read_weights(file):
    return torch.load(file, weights_only=True)['state_dict']
