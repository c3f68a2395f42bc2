"""Configs of the embedded world that several tests share."""

from small_inputs import ROOT

TOY = ROOT / 'configs/toy'
RESNET = TOY / 'cross_entropy/cross_entropy_r18.py'
DEIT = TOY / 'cross_entropy/cross_entropy_deit.py'
ZERO_SHOT = TOY / 'clip_zero_shot/clip_zero_shot.py'
ENSEMBLE = TOY / 'ensemble/ensemble_r18.py'
BALLAD = TOY / 'ballad/ballad_b.py'
