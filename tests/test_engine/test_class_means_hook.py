"""Heads begin with the mean features of the training set."""

from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from ranks import run_ranks

from ltvl_mm.engine import ClassMeansHook
from ltvl_mm.engine.feature_extraction import compute_class_means
from ltvl_mm.registry import DATASETS, MODELS

LEAF = """
default_scope = 'mmpretrain'
data_preprocessor = dict(num_classes=3, mean=[100, 100, 100], std=[50, 50, 50])
model = dict(
    type='ImageClassifier',
    backbone=dict(type='ResNet', depth=18, base_channels=4, stem_channels=4),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='ltvl_mm.MemoryClsHead', num_classes=3, in_channels=32),
)
load = dict(type='LoadImageFromFile')
resize = dict(type='Resize', scale=(32, 32))
dim = dict(type='ColorJitter', brightness=0.9)
pack = dict(type='PackInputs')
lists = dict(
    type='CustomDataset',
    data_root={data_root!r},
    ann_file='train.txt',
    classes=['cat', 'dog', 'owl'],
)
train_dataloader = dict(
    batch_size=2,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='ltvl_mm.TACKLEDataset',
        manifest={manifest!r},
        dataset=dict(**lists, pipeline=[load, dim, resize, pack]),
    ),
)
val_dataloader = dict(
    batch_size=5,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(**lists, pipeline=[load, resize, pack]),
)
val_evaluator = dict(type='Accuracy')
val_cfg = dict()
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1))
train_cfg = dict(by_epoch=True, max_epochs=1)
custom_hooks = [dict(type='ltvl_mm.ClassMeansHook')]
randomness = dict(seed=0)
"""


@pytest.fixture(autouse=True)
def scope():
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        yield


@pytest.fixture
def leaf(target, manifest, tmp_path):
    """Six labeled images and six retrieved ones, of three classes."""
    path = tmp_path / 'leaf.py'
    path.write_text(
        LEAF.format(manifest=str(manifest), data_root=target['data_root'])
    )
    cfg = Config.fromfile(path)
    cfg.work_dir = str(tmp_path / 'work')
    return cfg


def build(cfg):
    torch.manual_seed(0)
    return MODELS.build(
        {'data_preprocessor': cfg.data_preprocessor, **cfg.model}
    )


def compute_slowly(cfg, model):
    """The means, one image after another; none is augmented."""
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    dataset.pipeline = DATASETS.build(cfg.val_dataloader.dataset).pipeline
    feats = {0: [], 1: [], 2: []}
    model.eval()
    for row in range(len(dataset)):
        data = {k: [v] for k, v in dataset[row].items()}
        images = model.data_preprocessor(data)['inputs']
        with torch.no_grad():
            (feat,) = model.extract_feat(images)
        feats[dataset.get_data_info(row)['gt_label']].append(feat[0])
    assert [len(some) for some in feats.values()] == [5, 5, 2]
    return torch.stack([torch.stack(some).mean(0) for some in feats.values()])


def compute(cfg, model, **options):
    return compute_class_means(model, cfg, num_classes=3, width=32, **options)


def test_they_are_of_target_and_retrieved_images_as_val_has_them(leaf):
    model = build(leaf)
    expected = compute_slowly(leaf, model)
    ClassMeansHook().before_train(SimpleNamespace(model=model, cfg=leaf))
    torch.testing.assert_close(model.head.centroids.detach(), expected)


@pytest.mark.parametrize(
    'wrap',
    [
        lambda part: dict(type='RepeatDataset', dataset=part, times=2),
        lambda part: dict(type='ConcatDataset', datasets=[part, part]),
    ],
    ids=['repeat', 'concat'],
)
@pytest.mark.parametrize('own', [False, True])
def test_wrapped_images_are_not_augmented_either(leaf, wrap, own):
    model = build(leaf)
    expected = compute_slowly(leaf, model)
    dataset = leaf.train_dataloader.dataset
    if own:  # transforms that the data set does not show
        dataset = dict(dataset, pipeline=dataset.dataset.pipeline)
    leaf.train_dataloader.dataset = wrap(dataset)
    torch.testing.assert_close(compute(leaf, model), expected)


def run_rank(rank, cfg):
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        return compute(cfg, build(cfg))


def test_two_processes_share_the_images(leaf, tmp_path):
    # 11 images: one process has one more.
    leaf.train_dataloader.dataset.dataset.indices = [0, 1, 3, 4, 5]
    found = run_ranks(tmp_path, run_rank, leaf)
    expected = compute(leaf, build(leaf))
    for means in found:
        torch.testing.assert_close(means, expected)


def test_a_resumed_run_keeps_the_centroids_of_its_checkpoint(leaf):
    leaf.optim_wrapper.optimizer.lr = 0.0
    Runner.from_cfg(leaf).train()
    state = torch.load(f'{leaf.work_dir}/epoch_1.pth', weights_only=False)
    first = state['state_dict']['head.centroids']
    assert first.any()
    # Of these images alone, and of what the features are now, it had others.
    leaf.train_dataloader.dataset.dataset.indices = [0, 1, 3, 5]
    leaf.train_cfg.max_epochs = 2
    leaf.resume = True
    runner = Runner.from_cfg(leaf)
    runner.train()
    assert torch.equal(runner.model.head.centroids, first)


def test_a_cosine_classifier_begins_with_their_directions(leaf):
    leaf.model.head.type = 'ltvl_mm.CosineClsHead'
    model = build(leaf)
    means = compute_slowly(leaf, model)
    runner = SimpleNamespace(model=model, cfg=leaf, iter=0)
    ClassMeansHook().before_train(runner)
    expected = torch.stack([mean / mean.norm() for mean in means])
    torch.testing.assert_close(model.head.fc.weight.detach(), expected)
    with pytest.raises(ValueError, match=r'means of \(4, 32\)'):
        model.head.set_class_means(torch.ones(4, 32))


def test_a_resumed_run_keeps_the_class_vectors_of_its_checkpoint(leaf):
    leaf.model.head.type = 'ltvl_mm.CosineClsHead'
    Runner.from_cfg(leaf).train()
    state = torch.load(f'{leaf.work_dir}/epoch_1.pth', weights_only=False)
    leaf.optim_wrapper.optimizer.lr = 0.0
    leaf.param_scheduler = None
    leaf.train_cfg.max_epochs = 2
    leaf.resume = True
    runner = Runner.from_cfg(leaf)
    hooked = []
    runner.call_hook = _record(runner.call_hook, runner, hooked)
    runner.train()
    assert torch.equal(hooked[0], state['state_dict']['head.fc.weight'])


def _record(call, runner, found):
    """Note the class vectors after the hooks before training."""

    def record(name, **kwargs):
        call(name, **kwargs)
        if name == 'before_train':
            found.append(runner.model.head.fc.weight.detach().clone())

    return record


def test_classes_are_represented_by_a_limited_number_of_images(leaf):
    model = build(leaf)
    limited = compute(leaf, model, max_per_class=1)
    dataset = DATASETS.build(leaf.train_dataloader.dataset)
    dataset.pipeline = DATASETS.build(leaf.val_dataloader.dataset).pipeline
    for label in range(3):
        feats = []
        for row in range(len(dataset)):
            if dataset.get_data_info(row)['gt_label'] == label:
                data = {k: [v] for k, v in dataset[row].items()}
                images = model.data_preprocessor(data)['inputs']
                with torch.no_grad():
                    feats.append(model.extract_feat(images)[0][0])
        close = [torch.allclose(limited[label], f, atol=1e-6) for f in feats]
        assert any(close), label
    # Classes have at most five images: all of them.
    torch.testing.assert_close(
        compute(leaf, model, max_per_class=5), compute(leaf, model)
    )
    with pytest.raises(ValueError, match='max_per_class must be >= 1, got 0'):
        ClassMeansHook(max_per_class=0)


def test_a_class_without_images_is_named(leaf):
    dataset = leaf.train_dataloader.dataset.dataset
    leaf.train_dataloader.dataset = dict(**dataset, indices=[0, 3])
    with pytest.raises(ValueError, match='class 2 has no training image'):
        Runner.from_cfg(leaf).train()


def test_another_head_is_refused(leaf):
    leaf.model.head.type = 'LinearClsHead'
    with pytest.raises(ValueError, match='got LinearClsHead'):
        Runner.from_cfg(leaf).train()
