"""Extract penultimate features of a dataset split."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.dist import all_reduce
from mmengine.registry import init_default_scope
from torch.utils.data import Subset

from ltvl_mm.engine.feature_caching import build_split, load_batches
from ltvl_mm.registry import DATASETS, MODELS
from ltvl_mm.structures.classification_dataset import ClassificationDataset
from ltvl_mm.structures.features import Features
from ltvl_mm.structures.labels import limit_classes, read_labels
from ltvl_mm.utils.checkpoints import read_weights
from ltvl_mm.utils.pipelines import find_pipeline, set_pipeline
from ltvl_mm.utils.rng import seed_libraries

SPLITS = ('train', 'val', 'test')


@torch.inference_mode()
def extract_features(
    cfg: Config, checkpoint: str, split: str, *, device: str = 'cpu'
) -> Features:
    """Extract the features before the classifier, for all images of a split.

    The images come in the order of the split's list. Training images get the
    transforms of val or test. If the model has several experts, the features
    are those of the last expert; if it has ResLT's branches, their sum.

    Args:
        cfg: Config of an mmpretrain classifier.
        checkpoint: Weights of the classifier, or the folder of its training.
        split: ``'train'``, ``'val'`` or ``'test'``.
        device: Device of the model.

    Raises:
        ValueError: If the config has no such data, or the checkpoint does
            not fit the model.
    """
    dataset, loader_cfg = _build_plain_split(cfg, split)
    model = _build_model(cfg, checkpoint).to(device)
    first: list[torch.Tensor] = []

    def read(images: torch.Tensor) -> torch.Tensor:
        first[:] = first or [images]
        return model.extract_feat(images, stage='pre_logits')

    found = _read_all(model, load_batches(loader_cfg, dataset, split), read)
    classifier, tau = _find_classifier(model, first[0])
    return Features(*found, classifier=classifier, tau=tau)


@torch.inference_mode()
def extract_expert_logits(
    cfg: Config, checkpoint: str, split: str, *, device: str = 'cpu'
) -> tuple[np.ndarray, np.ndarray]:
    """Return (N, E, K) logits of the images of a split, and (N,) labels.

    Args:
        cfg: Config of a classifier with ``ExpertClsHead``.
        checkpoint: Its weights, or the folder of its training.
        split: ``'val'`` or ``'test'``.
        device: Device of the model.

    Raises:
        ValueError: As :func:`extract_features`, or if there are no experts.
    """
    dataset, loader_cfg = _build_split(cfg, split)
    model = _build_experts(cfg, checkpoint).to(device)
    batches = load_batches(loader_cfg, dataset, split)
    logits, labels, _ = _read_experts(model, batches)
    return logits, labels


@torch.inference_mode()
def extract_expert_views(
    cfg: Config,
    checkpoint: str,
    split: str,
    transforms: Sequence[Mapping],
    *,
    epochs: int,
    device: str = 'cpu',
) -> Iterator[np.ndarray]:
    """Yield (2, N, E, K) logits of two random views of the images of a split.

    An array is computed when it is asked for, with new views each time.

    Args:
        cfg: Config of a classifier with ``ExpertClsHead``; seed and numbers
            of epoch and view seed the transforms.
        checkpoint: Its weights, or the folder of its training.
        split: ``'val'`` or ``'test'``.
        transforms: Pipeline of a view, from the file to the packed image.
        epochs: Number of arrays.
        device: Device of the model.

    Raises:
        ValueError: As :func:`extract_expert_logits`.
    """
    dataset, loader_cfg = _build_split(cfg, split)
    model = _build_experts(cfg, checkpoint).to(device)
    set_pipeline(dataset, Compose(transforms))
    for epoch in range(epochs):
        views = []
        for view in range(2):
            seed_libraries(cfg.randomness.seed, epoch, view)
            title = f'{split}, pass {epoch + 1} of {epochs}, view {view + 1}'
            batches = load_batches(loader_cfg, dataset, title)
            views.append(_read_experts(model, batches)[0])
        yield np.stack(views)


@torch.inference_mode()
def compute_class_means(
    model: torch.nn.Module,
    cfg: Config,
    *,
    num_classes: int,
    width: int,
    max_per_class: int | None = None,
) -> torch.Tensor:
    """Return the (K, F) mean feature of each class over the training set.

    Several processes share the images, which pass the transforms of val or
    test.

    Args:
        model: Classifier of mmpretrain, not wrapped; is left in eval mode.
        cfg: Config of its training.
        num_classes: K.
        width: F.
        max_per_class: Maximum images per class, drawn with the config's seed;
            None for all.

    Raises:
        ValueError: If a class has no training image.
    """
    model.eval()
    dataset, loader_cfg = _build_plain_split(cfg, 'train')
    if max_per_class is not None:
        seed = (cfg.get('randomness') or {}).get('seed') or 0
        rows = limit_classes(read_labels(dataset), max_per_class, seed)
        dataset = Subset(dataset, rows.tolist())
    device = next(model.parameters()).device
    sums = torch.zeros(num_classes, width, device=device)
    counts = torch.zeros(num_classes, 1, device=device)
    for batch in load_batches(loader_cfg, dataset, 'means of the classes'):
        data = model.data_preprocessor(batch)
        feats = model.extract_feat(data['inputs'], stage='pre_logits')
        labels = torch.cat([s.gt_label for s in data['data_samples']])
        own = F.one_hot(labels, num_classes).float().T  # (K, N)
        sums += own @ feats.float()
        counts += own.sum(1, keepdim=True)
    all_reduce(sums)
    all_reduce(counts)
    if not counts.all():
        label = int(counts.argmin())
        raise ValueError(
            f'class {label} has no training image, so that there is no mean '
            f'of its features'
        )
    return sums / counts


def _build_plain_split(
    cfg: Config, split: str
) -> tuple[ClassificationDataset, Config]:
    """Build a split as :func:`_build_split`, without augmentation.

    Of cached features, it is the first view of each image, as it was cached.
    """
    dataset, loader_cfg = _build_split(cfg, split)
    if hasattr(dataset, 'keep_first_view'):
        dataset.keep_first_view()  # features, of which no pipeline is left
    elif split == 'train':
        loader_cfg = cfg.get('val_dataloader') or cfg.test_dataloader
        tested = DATASETS.build(loader_cfg.dataset)
        set_pipeline(dataset, Compose(find_pipeline(tested)))
    return dataset, loader_cfg


def _build_split(
    cfg: Config, split: str
) -> tuple[ClassificationDataset, Config]:
    """Return data set and loader config of a split, in mmpretrain's scope."""
    if split not in SPLITS:
        raise ValueError(f'split must be one of {SPLITS}, got {split!r}')
    init_default_scope(cfg.get('default_scope', 'mmpretrain'))
    return build_split(cfg, split)


def _build_experts(cfg: Config, checkpoint: str) -> torch.nn.Module:
    model = _build_model(cfg, checkpoint)
    if not hasattr(model.head, 'forward_experts'):
        raise ValueError(
            f'the head is a {type(model.head).__name__}, which has no experts'
        )
    return model


def _read_experts(
    model: torch.nn.Module, batches: Iterable[dict]
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Return the (N, E, K) logits of all images, their labels and paths."""
    return _read_all(
        model,
        batches,
        lambda images: model.head.forward_experts(model.extract_feat(images)),
    )


def _read_all(
    model: torch.nn.Module,
    batches: Iterable[dict],
    read: Callable[[torch.Tensor], torch.Tensor],
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Return what ``read`` makes of all images, their labels and paths."""
    found, labels, paths = [], [], []
    for batch in batches:
        data = model.data_preprocessor(batch)
        found.append(read(data['inputs']).float().cpu().numpy())
        for sample in data['data_samples']:
            labels.append(int(sample.gt_label))
            paths.append(sample.img_path)
    return np.concatenate(found), np.array(labels), tuple(paths)


def _find_classifier(
    model: torch.nn.Module, images: torch.Tensor
) -> tuple[str, float | None]:
    """Return the linear layer behind a model's logits, and its tau.

    Found by comparing logits, because heads with a linear layer may scale or
    normalize what it returns.

    Returns:
        Name and None if the logits are w f + b of that layer; name and tau if
        they are its tau-normalized classifier without bias; '' and None if
        they are neither.
    """
    points = model.extract_feat(images, stage='pre_logits')
    layers = {
        f'head.{name}': layer
        for name, layer in model.head.named_modules()
        if isinstance(layer, torch.nn.Linear)
        and layer.in_features == points.shape[1]
        and layer.out_features == getattr(model.head, 'num_classes', None)
    }
    # Heads without such a layer are not run: in inference mode those of CLIP
    # cannot track the versions of their weights.
    if not layers:
        return '', None
    logits = model.head(model.extract_feat(images))
    tau = getattr(model.head, 'gamma', None)
    for name, layer in layers.items():
        # First, because a bias may be too small to tell tau 0 from w f + b.
        if tau is not None:
            norms = layer.weight.norm(dim=1, keepdim=True)
            if _are_close(points @ (layer.weight / norms**tau).T, logits):
                return name, float(tau)
        if _are_close(layer(points), logits):
            return name, None
    return '', None


def _are_close(one: torch.Tensor, other: torch.Tensor) -> bool:
    return torch.allclose(one, other, rtol=1e-4, atol=1e-4)


def _build_model(cfg: Config, checkpoint: str) -> torch.nn.Module:
    model = MODELS.build(
        {'data_preprocessor': cfg.get('data_preprocessor'), **cfg.model}
    )
    try:
        model.load_state_dict(read_weights(checkpoint))
    except RuntimeError as error:
        raise ValueError(
            f'{checkpoint} does not fit the config: {error}'
        ) from None
    return model.eval()
