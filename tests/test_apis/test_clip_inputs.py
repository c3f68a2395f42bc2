import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.registry import DefaultScope
from PIL import Image

from ltvl_mm.apis.clip_inputs import check_clip_inputs, list_transforms
from ltvl_mm.clip.preprocessing import (
    build_image_transform,
    find_preprocessing,
)
from ltvl_mm.models.backbones.clip_backbone import CLIPBackbone

CLIP = dict(
    mean=[122.77, 116.75, 104.09], std=[68.5, 66.63, 70.32], to_rgb=True
)
HALF = dict(mean=[127.5] * 3, std=[127.5] * 3, to_rgb=True)
SHORT = [
    dict(type='LoadImageFromFile'),
    dict(
        type='ResizeEdge',
        scale=224,
        edge='short',
        interpolation='bicubic',
        backend='pillow',
    ),
    dict(type='CenterCrop', crop_size=224),
]


def write_config(
    arch, pretrained, preprocessor, *, pipeline=SHORT, train=None, **more
):
    """Return the config of a model with CLIP inside a wrapper."""
    clip = dict(
        type='ltvl_mm.CLIPBackbone', arch=arch, pretrained=pretrained, **more
    )
    return Config(
        dict(
            data_preprocessor=preprocessor,
            model=dict(backbone=dict(type='Wrapper', backbone=clip)),
            train_dataloader=train,
            test_dataloader=dict(
                dataset=dict(type='Wrapper', dataset=dict(pipeline=pipeline))
            ),
        )
    )


def squash(size, interpolation='bicubic'):
    return [
        dict(
            type='mmcv.Resize',
            scale=(size, size),
            interpolation=interpolation,
            backend='pillow',
        )
    ]


@pytest.mark.parametrize(
    ('arch', 'tag', 'preprocessor', 'pipeline'),
    [
        ('RN50-quickgelu', 'openai', CLIP, SHORT),
        ('ViT-L-14', 'laion2b_s32b_b82k', HALF, SHORT),
        ('ViT-B-16-SigLIP', 'webli', HALF, squash(224)),
        ('PE-Core-B-16', 'meta', HALF, squash(224, 'bilinear')),
    ],
)
def test_what_the_weights_were_trained_with_passes(
    arch, tag, preprocessor, pipeline
):
    check_clip_inputs(write_config(arch, tag, preprocessor, pipeline=pipeline))


def test_zero_to_one_needs_no_mean():
    cfg = write_config(
        'MobileCLIP-B', 'datacompdr', dict(std=[255] * 3, to_rgb=True)
    )
    cfg.test_dataloader = None
    check_clip_inputs(cfg)


@pytest.mark.parametrize(
    ('preprocessor', 'message'),
    [
        (HALF, r'has mean=.127.5, .* with mean=.122.7709, .* write data_pre'),
        (CLIP | {'std': [255] * 3}, r"'openai' of RN50-.* with std=.68.5005"),
        (CLIP | {'to_rgb': False}, 'has to_rgb=False, .* with to_rgb=True'),
        ({}, r'has mean=.0.0, 0.0, 0.0.'),
    ],
)
def test_another_normalization_is_refused(preprocessor, message):
    cfg = write_config('RN50-quickgelu', 'openai', preprocessor, train={})
    with pytest.raises(ValueError, match=message):
        check_clip_inputs(cfg)


def test_the_nearest_preprocessor_counts():
    cfg = write_config('RN50-quickgelu', 'openai', HALF)
    cfg.model.data_preprocessor = CLIP
    check_clip_inputs(cfg)


def test_cached_features_are_checked():
    cfg = write_config('RN50-quickgelu', 'openai', CLIP)
    cfg.train_dataloader = dict(
        dataset=dict(
            backbone=cfg.model.backbone.backbone, data_preprocessor=HALF
        )
    )
    with pytest.raises(ValueError, match='has mean='):
        check_clip_inputs(cfg)


@pytest.mark.parametrize(
    'change',
    [{'interpolation': 'bilinear'}, {'scale': 256}, {'backend': 'cv2'}],
)
def test_zero_shot_with_other_pixels_is_refused(change):
    pipeline = [SHORT[0], SHORT[1] | change, SHORT[2]]
    cfg = write_config('RN50-quickgelu', 'openai', CLIP, pipeline=pipeline)
    message = r"nothing is trained here, so write dict\(type='ResizeEdge'"
    with pytest.raises(ValueError, match=message):
        check_clip_inputs(cfg)
    cfg.train_dataloader = {}  # a trained model may have its own resizing
    check_clip_inputs(cfg)


def test_squash_and_short_edge_differ():
    cfg = write_config('ViT-B-16-SigLIP', 'webli', HALF)
    with pytest.raises(ValueError, match=r"write dict\(type='Resize', scale"):
        check_clip_inputs(cfg)


def test_a_file_may_state_its_preprocessing():
    more = dict(preprocess='laion2b_s32b_b82k')
    check_clip_inputs(write_config('ViT-L-14', 'mine.pt', HALF, **more))
    with pytest.raises(ValueError, match='say how with preprocess= of CLIPB'):
        check_clip_inputs(write_config('ViT-L-14', 'mine.pt', HALF))
    with pytest.raises(ValueError, match="preprocess has 'x'; expected"):
        CLIPBackbone('ltvl-toy', preprocess='x')


def test_random_weights_take_any_normalization():
    check_clip_inputs(write_config('ltvl-toy', None, HALF))


@pytest.mark.parametrize(
    ('arch', 'tag'),
    [
        ('RN50-quickgelu', 'openai'),  # shortest, bicubic
        ('MobileCLIP-S1', 'datacompdr'),  # shortest, bilinear
        ('ViT-B-16-SigLIP', 'webli'),  # squash, bicubic
        ('PE-Core-B-16', 'meta'),  # squash, bilinear
    ],
)
@pytest.mark.parametrize('size', [(37, 53), (301, 300)])
def test_the_transforms_to_write_have_the_pixels_of_open_clip(arch, tag, size):
    preprocessing = find_preprocessing(arch, tag)
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (*size, 3), np.uint8)
    expected = build_image_transform(preprocessing)(Image.fromarray(image))
    steps = [*list_transforms(preprocessing), dict(type='PackInputs')]
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        packed = Compose(steps)(dict(img=image[..., ::-1].copy()))
    pixels = packed['inputs'].flip(0) / 255
    mean = torch.tensor(preprocessing.mean)[:, None, None]
    std = torch.tensor(preprocessing.std)[:, None, None]
    torch.testing.assert_close((pixels - mean) / std, expected)
