"""Several classifiers that answer as one."""

import pytest
import torch
from mmengine.dataset import default_collate, pseudo_collate
from mmengine.registry import DefaultScope
from mmpretrain.structures import DataSample

from ltvl_mm.datasets import PackViews
from ltvl_mm.models import EnsembleClassifier
from ltvl_mm.registry import MODELS

OWN = dict(type='ClsDataPreprocessor', mean=[9.0] * 3, std=[2.0] * 3)
SHARED = dict(mean=[100.0] * 3, std=[50.0] * 3)  # without type, as in configs


@pytest.fixture(autouse=True)
def scope():
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        yield


def describe(num_classes=3, **parts):
    """Config of a tiny classifier."""
    return dict(
        type='ImageClassifier',
        backbone=dict(
            type='ResNet',
            depth=18,
            base_channels=4,
            stem_channels=4,
            num_stages=1,
            strides=(1,),
            dilations=(1,),
            out_indices=(0,),
        ),
        neck=dict(type='GlobalAveragePooling'),
        head=dict(
            type='LinearClsHead', num_classes=num_classes, in_channels=4
        ),
        **parts,
    )


def build(**changes):
    settings = dict(
        members=dict(a=describe(), b=describe(data_preprocessor=OWN)),
        weights=dict(a=0.25, b=0.75),
        scales=dict(b=4.0),
        data_preprocessor=SHARED,
    )
    return EnsembleClassifier(**{**settings, **changes}).eval()


def predict_alone(member, images):
    with torch.no_grad():
        data = {'inputs': images}
        return member(member.data_preprocessor(data)['inputs'])


def test_logits_are_mixed_of_what_each_member_says_alone():
    model = build()
    images = torch.randint(0, 255, (2, 3, 32, 32), dtype=torch.uint8)
    alone = [predict_alone(model.members[name], images) for name in 'ab']
    with torch.no_grad():
        mixed = model(images)
    torch.testing.assert_close(mixed, 0.25 * alone[0] + 3 * alone[1])
    # Members normalize by their own numbers, or by those of the config.
    means = [model.members[name].data_preprocessor.mean for name in 'ab']
    assert [float(mean.flatten()[0]) for mean in means] == [100, 9]


@pytest.mark.parametrize('kind', ['PaCoClassifier', 'GPaCoClassifier'])
def test_a_member_may_have_learnt_from_two_views(kind):
    paco = describe()
    paco['type'] = f'ltvl_mm.{kind}'
    paco['head']['loss'] = dict(type='ltvl_mm.PaCoLoss', num_classes=3)
    model = build(members=dict(a=paco), weights=dict(a=1.0), scales={})
    images = torch.randint(0, 255, (2, 3, 32, 32), dtype=torch.uint8)
    with torch.no_grad():
        alone = model.members['a']((images.float() - 100) / 50)
        torch.testing.assert_close(model(images), alone)


@pytest.mark.parametrize('collate', [default_collate, pseudo_collate])
def test_members_see_their_own_views_through_the_test_step(collate):
    pack = PackViews(
        views={
            'b': [dict(type='Resize', scale=16), dict(type='PackInputs')],
            'a': [dict(type='PackInputs')],
        }
    )
    generator = torch.Generator().manual_seed(0)
    samples = [
        pack(
            dict(
                img=torch.randint(0, 255, (32, 32, 3), generator=generator)
                .numpy()
                .astype('uint8'),
                img_path=f'{number}.png',
                gt_label=number,
            )
        )
        for number in range(2)
    ]
    model = build()
    found = model.test_step(collate(samples))
    for number, sample in enumerate(samples):
        views = sample['inputs']
        assert views['a'].shape != views['b'].shape
        alone = [
            predict_alone(model.members[name], views[name][None])
            for name in 'ab'
        ]
        expected = (0.25 * alone[0] + 3 * alone[1]).softmax(-1)[0]
        torch.testing.assert_close(found[number].pred_score, expected)
        assert found[number].gt_label.item() == number


def test_members_load_files_and_work_folders(tmp_path):
    torch.manual_seed(1)
    trained = MODELS.build(describe())
    torch.save({'state_dict': trained.state_dict()}, tmp_path / 'best_1.pth')
    for path in (tmp_path / 'best_1.pth', tmp_path):
        model = build(checkpoints=dict(a=str(path)))
        for name, value in trained.state_dict().items():
            assert model.members['a'].state_dict()[name].equal(value)


def test_an_ensemble_is_not_trained():
    images = torch.zeros(1, 3, 32, 32)
    with pytest.raises(ValueError, match='train its members one by one'):
        build()(images, [DataSample()], mode='loss')


def test_a_member_without_its_view_is_named():
    with pytest.raises(ValueError, match="the member 'b' has no image"):
        build()({'a': torch.zeros(1, 3, 32, 32)})


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(weights=dict(a=1.0)), r"weights lack \['b'\]"),
        (dict(weights=dict(a=0.5, b=0.6)), 'sum 1'),
        (dict(scales=dict(c=2.0)), r"\['c'\] are not among the members"),
        (dict(space='cosine'), "got 'cosine'"),
        (
            dict(checkpoints=dict(a='gone.pth')),
            "member 'a': the checkpoint gone.pth",
        ),
    ],
)
def test_what_does_not_fit_the_members_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        build(**changes)


def test_a_checkpoint_of_other_classes_is_named(tmp_path):
    other = MODELS.build(describe(num_classes=5))
    torch.save(other.state_dict(), tmp_path / 'five.pth')
    with pytest.raises(ValueError, match=r'five\.pth does not fit the member'):
        build(checkpoints=dict(b=str(tmp_path / 'five.pth')))


def test_views_are_needed():
    with pytest.raises(ValueError, match='at least one view'):
        PackViews(views={})
