"""Heads use the soft labels of mixed images or refuse them by name."""

import pytest
import torch
import torch.nn.functional as F
from mmengine.registry import DefaultScope
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample

NAMES = ('cat', 'dog', 'ox')
EXPERTS = dict(num_classes=3, in_channels=4)
HEADS = {
    'CosineClsHead': EXPERTS,
    'LWSClsHead': EXPERTS,
    'TextInitClsHead': dict(arch='ltvl-toy', class_names=NAMES),
    'CLIPContrastiveHead': dict(
        arch='ltvl-toy', class_names=NAMES, loss='class_ce'
    ),
}
REFUSED = {
    'CLIPContrastiveHead': [
        dict(arch='ltvl-toy', class_names=NAMES, loss='symmetric'),
        dict(arch='ltvl-toy', class_names=NAMES, loss='image_to_text'),
    ],
    'MemoryClsHead': [EXPERTS],
}


# With this seed, Mixup's permutation swaps two images.
SWAP = next(
    seed
    for seed in range(9)
    if torch.randperm(2, generator=torch.Generator().manual_seed(seed))[0]
)


def mix(width):
    """Two mixed images (here: features) and their samples."""
    preprocessor = MODELS.build(
        dict(
            type='ClsDataPreprocessor',
            num_classes=3,
            batch_augments=dict(augments=[dict(type='Mixup', alpha=0.8)]),
        )
    )
    samples = []
    for label in (0, 2):
        samples.append(DataSample().set_gt_label(label))
    inputs = torch.randn(2, width, 1, 1)
    torch.manual_seed(SWAP)
    data = {'inputs': inputs, 'data_samples': samples}
    mixed = preprocessor(data, training=True)
    soft = torch.stack([one.gt_score for one in mixed['data_samples']])
    assert ((soft > 0).sum(1) == 2).all()
    return (mixed['inputs'].flatten(1),), mixed['data_samples'], soft


def build_head(kind, options):
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        return MODELS.build(dict(type=f'ltvl_mm.{kind}', **options))


@pytest.mark.parametrize('smooth', [None, 0.1])
@pytest.mark.parametrize('kind', HEADS)
def test_heads_use_the_labels_of_mixed_images(kind, smooth):
    options = HEADS[kind]
    if smooth is not None and kind == 'CLIPContrastiveHead':
        pytest.skip('its loss is chosen by name')
    if smooth is not None:
        loss = dict(type='LabelSmoothLoss', label_smooth_val=smooth)
        options = {**options, 'loss': loss}
    head = build_head(kind, options)
    feats, samples, soft = mix(128 if 'arch' in options else 4)
    share = smooth or 0.0
    expected = F.cross_entropy(head(feats), soft * (1 - share) + share / 3)
    found = head.loss(feats, samples)
    assert found['loss'].item() == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize(
    ('kind', 'options'),
    [(kind, each) for kind, several in REFUSED.items() for each in several],
)
def test_heads_refuse_mixed_images_by_name(kind, options):
    head = build_head(kind, options)
    feats, samples, _ = mix(128 if 'arch' in options else 4)
    with pytest.raises(ValueError, match=rf'{kind}.*gt_score.*Mixup'):
        head.loss(feats, samples)


@pytest.mark.parametrize('where', ['train_cfg', 'data_preprocessor'])
@pytest.mark.parametrize('kind', ['PaCoClassifier', 'GPaCoClassifier'])
def test_two_views_are_not_mixed(kind, where):
    augments = dict(augments=[dict(type='Mixup', alpha=0.8)])
    option = dict(train_cfg=augments)
    if where == 'data_preprocessor':
        option = dict(
            data_preprocessor=dict(
                type='ClsDataPreprocessor', batch_augments=augments
            )
        )
    cfg = dict(
        type=f'ltvl_mm.{kind}',
        backbone=dict(type='ltvl_mm.IdentityBackbone', dim=4),
        head=dict(
            type='LinearClsHead',
            num_classes=3,
            in_channels=4,
            loss=dict(type='ltvl_mm.PaCoLoss', num_classes=3),
        ),
    )
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        with pytest.raises(ValueError, match=f'{kind} .* cannot train on mi'):
            MODELS.build({**cfg, **option})
        model = MODELS.build(cfg)
    sample = DataSample().set_gt_score(torch.tensor([0.5, 0.5, 0.0]))
    views = [torch.randn(1, 4), torch.randn(1, 4)]
    with pytest.raises(ValueError, match=f'{kind} needs one class per image'):
        model.loss(views, [sample])
