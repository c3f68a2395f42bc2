"""Weights and images of the tests of inferencers."""

import pytest
import torch
from mmengine.config import Config
from toy_clip import write_toy_classifier
from toy_configs import BALLAD, DEIT, RESNET

from ltvl_mm import get_model


def write_inferencer_files(toy_home, tmp_path_factory):
    """Folder with weights of a CLIP, of BALLAD and of a student."""
    folder = tmp_path_factory.mktemp('inferencer')
    (folder / 'data').symlink_to(toy_home / 'data')
    write_toy_classifier(folder / 'clip.pth')
    write_toy_classifier(
        folder / 'ballad.pth',
        seed=1,
        neck=Config.fromfile(BALLAD).model.neck,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        torch.manual_seed(0)
        part = folder / 'work_dirs/cross_entropy_r18/best_epoch_1.pth'
        part.parent.mkdir(parents=True)
        torch.save({'state_dict': get_model(RESNET).state_dict()}, part)
        student = get_model(DEIT)
        meta = {'dataset_meta': {'classes': [f'c{k}' for k in range(96)]}}
        torch.save(
            {'state_dict': student.state_dict(), 'meta': meta},
            folder / 'student.pth',
        )
        yield folder


def list_images(toy_root):
    """Return the paths of five images of the tiny world."""
    lines = (toy_root / 'test.txt').read_text().splitlines()[:5]
    return [str(toy_root / line.rpartition(' ')[0]) for line in lines]
