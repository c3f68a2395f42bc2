"""Check that a config feeds CLIP's image tower as it was trained."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.utils import is_installed

from ltvl_mm.utils.config_walk import name_type

if TYPE_CHECKING:
    from ltvl_mm.clip.preprocessing import PreprocessCfg

# mmpretrain normalizes pixels in [0, 255]; configs round the numbers.
_TOLERANCE = 0.05


def check_clip_inputs(cfg: Config) -> None:
    """Compare a config with the preprocessing of its pretrained CLIP towers.

    For each ``CLIPBackbone`` with ``pretrained=``, the mean, std and channel
    order of its ``data_preprocessor`` must be those of its weights. If
    nothing is trained (zero-shot, ``train_dataloader = None``), the test
    pipeline must also resize as they were trained; otherwise a difference is
    logged, since a model may be fine-tuned with its own resizing.

    Args:
        cfg: Config of a training, a test or a feature cache.

    Raises:
        ValueError: If they differ; the message holds the lines to write.
    """
    backbones = list(_list_backbones(cfg))
    # Without open_clip the model cannot be built, and says so itself.
    if not backbones or not is_installed('open_clip'):
        return
    # Imports open_clip, which students do without.
    from ltvl_mm.clip.preprocessing import find_preprocessing

    found = {}
    for backbone, preprocessor in backbones:
        weights = tuple(
            str(backbone.get(key) or '')
            for key in ('arch', 'pretrained', 'preprocess')
        )
        if weights not in found:
            found[weights] = find_preprocessing(
                backbone['arch'],
                backbone.get('pretrained'),
                backbone.get('preprocess'),
            )
        _check_preprocessor(backbone, preprocessor, found[weights])
    # Members of an ensemble have pipelines of their own.
    if len(found) == 1:
        _check_pipeline(cfg, backbones[0][0], next(iter(found.values())))


def list_transforms(expected: 'PreprocessCfg') -> list[dict]:
    """Return mmpretrain's transforms that resize as weights expect it.

    Args:
        expected: Result of
            :func:`ltvl_mm.clip.preprocessing.find_preprocessing`.
    """
    size = expected.size
    height, width = (size, size) if isinstance(size, int) else size
    common = {'interpolation': expected.interpolation, 'backend': 'pillow'}
    if expected.resize_mode == 'squash':
        return [dict(type='Resize', scale=(width, height), **common)]
    edge = {'shortest': 'short', 'longest': 'long'}[expected.resize_mode]
    return [
        dict(type='ResizeEdge', scale=height, edge=edge, **common),
        dict(type='CenterCrop', crop_size=height),
    ]


def _list_backbones(cfg: Config) -> Iterator[tuple[Mapping, Mapping]]:
    """Yield each pretrained CLIPBackbone and the nearest preprocessor."""
    shared = cfg.get('data_preprocessor') or {}
    yield from _walk(cfg.get('model') or {}, shared)
    for split in ('train', 'val', 'test'):
        yield from _walk(cfg.get(f'{split}_dataloader') or {}, shared)


def _walk(
    node: object, preprocessor: Mapping
) -> Iterator[tuple[Mapping, Mapping]]:
    if isinstance(node, (list, tuple)):
        for child in node:
            yield from _walk(child, preprocessor)
    if not isinstance(node, Mapping):
        return
    kind = name_type(node)
    if kind == 'CLIPBackbone' and (
        node.get('pretrained') is not None
        # local-dir: and hf-hub: hold weights.
        or ':' in str(node.get('arch', ''))
    ):
        yield node, preprocessor
    inner = node.get('data_preprocessor') or preprocessor
    for key, child in node.items():
        if key != 'data_preprocessor':
            yield from _walk(child, inner)


def _check_preprocessor(
    backbone: Mapping,
    preprocessor: Mapping,
    expected: 'PreprocessCfg',
) -> None:
    wanted: dict = {
        'mean': [round(255 * value, 4) for value in expected.mean],
        'std': [round(255 * value, 4) for value in expected.std],
        'to_rgb': True,
    }
    given: dict = {
        'mean': preprocessor.get('mean') or [0.0] * 3,
        'std': preprocessor.get('std') or [1.0] * 3,
        'to_rgb': bool(preprocessor.get('to_rgb', False)),
    }
    wrong = [
        key
        for key in ('mean', 'std')
        if len(given[key]) != 3
        or any(
            abs(ours - theirs) > _TOLERANCE
            for ours, theirs in zip(given[key], wanted[key], strict=True)
        )
    ]
    if not given['to_rgb']:
        wrong.append('to_rgb')
    if wrong:
        key = wrong[0]
        raise ValueError(
            f'the data_preprocessor has {key}={given[key]}, but the weights '
            f'{backbone.get("pretrained")!r} of {backbone["arch"]} were '
            f'trained with {key}={wanted[key]}; write data_preprocessor='
            f'dict(mean={wanted["mean"]}, std={wanted["std"]}, to_rgb=True), '
            f'or, if these weights were trained otherwise, say how with '
            f'preprocess= of CLIPBackbone'
        )


def _check_pipeline(
    cfg: Config, backbone: Mapping, expected: 'PreprocessCfg'
) -> None:
    dataset = (cfg.get('test_dataloader') or {}).get('dataset') or {}
    while 'pipeline' not in dataset and isinstance(
        dataset.get('dataset'), Mapping
    ):
        dataset = dataset['dataset']
    given = _read_resize(dataset.get('pipeline') or [])
    wanted = list_transforms(expected)
    if given is None or given == _read_resize(wanted):
        return
    message = (
        f'the test pipeline resizes with {given}, but the weights '
        f'{backbone.get("pretrained")!r} of {backbone["arch"]} were trained '
        f'with {_read_resize(wanted)}'
    )
    if cfg.get('train_dataloader') is not None:
        print_log(
            f'{message}; right only for a model that is trained with its '
            f'own resizing',
            'current',
        )
        return
    steps = ', '.join(
        f'dict({", ".join(f"{k}={v!r}" for k, v in step.items())})'
        for step in wanted
    )
    raise ValueError(f'{message}; nothing is trained here, so write {steps}')


def _read_resize(pipeline: Sequence[Mapping]) -> dict[str, object] | None:
    """Return how a pipeline resizes, or None if it has no known transform."""
    found: dict[str, object] = {}
    for step in pipeline:
        kind = name_type(step)
        if kind == 'TestTimeAug':  # views of its own
            return None
        if kind in ('ResizeEdge', 'Resize'):
            scale: Any = step.get('scale')
            found |= {
                'mode': f'{step.get("edge", "short")} edge'
                if kind == 'ResizeEdge'
                else 'ratio kept'
                if step.get('keep_ratio')
                else 'squash',
                'scale': scale if isinstance(scale, int) else tuple(scale),
                'interpolation': step.get('interpolation', 'bilinear'),
                'backend': step.get('backend', 'cv2'),
            }
            if kind == 'Resize' and isinstance(scale, int):
                found['scale'] = (scale, scale)
        elif kind == 'CenterCrop':
            found['crop'] = step.get('crop_size')
    return found if 'mode' in found else None
