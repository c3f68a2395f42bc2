"""What the methods reached, as JSON and as tables."""

import os
from pathlib import Path
from statistics import mean

from ltvl_mm.evaluation.accuracy_table import COLUMNS, format_mean
from ltvl_mm.structures.curves import parse_scalars
from ltvl_mm.utils.io import atomic_write, read_json, write_json
from ltvl_mm.utils.regular_files import read_regular
from ltvl_mm.utils.stages import ROOT

# Config, the plain student or one of baselines/ -> row of the table.
TRAINED = {
    'rx': 'cross-entropy',
    'class_balanced': 'class-balanced sampling',
    'square_root': 'square-root sampling',
    'progressive': 'progressively balanced sampling',
    'balanced_softmax': 'balanced softmax',
    'lade': 'LADE',
    'ldam_drw': 'LDAM-DRW',
    'crt': 'cRT',
    'lws': 'LWS',
    'oltr': 'OLTR',
    'ride': 'RIDE, 3 experts',
    'ride_from6': 'RIDE, 3 experts distilled from 6',
    'ride_routed': 'RIDE, 3 experts routed',
    'tade': 'TADE, 3 experts',
    'paco': 'PaCo',
    'gpaco': 'GPaCo',
    'reslt': 'ResLT',
    'lift': 'LIFT: adapters in CLIP',
    'lift_vit': 'LIFT: adapters in a ViT of CLIP',
    'lift_lora': 'LIFT: LoRA in a ViT of CLIP',
    'lift_vpt': 'LIFT: prompts in a ViT of CLIP',
    'ballad': 'BALLAD, A then B',
}
# What is trained before, for it.
BEFORE = {'ride_from6': 'ride6', 'ride_routed': 'ride'}
# Of these, what needs the second CLIP.
IN_A_VIT = {'lift_vit', 'lift_lora', 'lift_vpt'}
# As TRAINED, of those that need retrieved images.
WITH_RETRIEVAL = {'weighted': 'cross-entropy, images weighed by p_k'}
# Method -> file and row of it.
POST_HOC = {
    'post-hoc logit adjustment': ('adjustment.json', 'logit adjustment'),
    'PC softmax': ('adjustment.json', 'PC softmax'),
    'tau-normalized': ('classifiers.json', 'tau-normalized'),
    'NCM': ('classifiers.json', 'NCM'),
}
# Row of ResLT's other exponent, chosen on val as the plain student's tau is.
RESLT_GAMMA = 'ResLT, gamma chosen on val'
MEASURES = (*COLUMNS, 'harmonic_mean')
EPOCH = 70  # iterations


def summarise(work: Path, seeds: list[int], methods: list[str]) -> str:
    """Write ``results.json`` and ``results.md``; return the latter's text."""
    rows = [
        row
        for retrieval in (False, True)
        for seed in seeds
        for row in _read_rows(work, seed, methods, retrieval)
    ]
    write_json(work / 'results.json', {'rows': rows})
    text = '\n\n'.join(
        f'{title}:\n\n'
        + format_methods([r for r in rows if r['retrieval'] == retrieval])
        for title, retrieval in (
            ('Without retrieved images', False),
            ('With retrieved images', True),
        )
    )
    with atomic_write(work / 'results.md', 'w') as file:
        file.write(f'{text}\n')
    return f'{text}\n\nTable: {work / "results.json"} and results.md'


def format_methods(rows: list[dict]) -> str:
    """Return a Markdown table, a line per method."""
    names = [*MEASURES, 'seconds', 'parameters']
    heads = [*COLUMNS, 'harmonic mean', 's per epoch', 'M parameters']
    lines = [
        f'| method | {" | ".join(heads)} |',
        '| :-- |' + ' --: |' * len(heads),
    ]
    for method in dict.fromkeys(row['method'] for row in rows):
        mine = [row for row in rows if row['method'] == method]
        cells = [
            format_mean([row[name] for row in mine if name in row])
            for name in names[:-1]
        ]
        cells.append(f'{mine[0]["parameters"] / 1e6:.2f}')
        lines.append(f'| {method} | {" | ".join(cells)} |')
    return '\n'.join(lines)


def name_configs(name: str, *, retrieval: bool) -> list[str]:
    """Return the configs of a method, below ``configs/toy/``, in order."""
    prefix = 'tackle_' if retrieval else ''
    if name == 'rx':
        return [f'{prefix}rx']
    if name == 'ballad':
        return [f'{prefix}ballad_a', f'{prefix}ballad_b']
    names = [BEFORE[name], name] if name in BEFORE else [name]
    return [f'baselines/{prefix}{stage}' for stage in names]


def _read_rows(
    work: Path, seed: int, methods: list[str], retrieval: bool
) -> list[dict]:
    (plain,) = name_configs('rx', retrieval=retrieval)
    folder_of_seed = work / f'seed{seed}'
    rows = []
    titles = {name: TRAINED[name] for name in methods}
    if retrieval:
        titles |= WITH_RETRIEVAL
    for name, title in titles.items():
        config = name_configs(name, retrieval=retrieval)[-1]
        folder = folder_of_seed / config
        metrics = read_json(folder / 'metrics.json')
        rows.append(
            {
                'method': title,
                **{key: metrics[f'shot/{key}'] for key in MEASURES},
                'seconds': _measure_epoch(folder),
                'parameters': _count_parameters(config, folder_of_seed),
            }
        )
    post_hoc = [(method, plain, *POST_HOC[method]) for method in POST_HOC]
    if 'reslt' in methods:
        (config,) = name_configs('reslt', retrieval=retrieval)
        post_hoc.append((RESLT_GAMMA, config, *POST_HOC['tau-normalized']))
    for method, config, file, row_name in post_hoc:
        found = read_json(folder_of_seed / config / 'post_hoc' / file)['test']
        (row,) = [row for row in found if row['method'] == row_name]
        rows.append(
            {
                'method': method,
                **{key: row[key] for key in MEASURES},
                'parameters': _count_parameters(config, folder_of_seed),
            }
        )
    return [{**row, 'seed': seed, 'retrieval': retrieval} for row in rows]


def _measure_epoch(folder: Path) -> float:
    """Return the seconds that the iterations of an epoch took, as logged.

    A run that was killed and resumed may have a line that is cut off.

    Raises:
        ValueError: If no line of the training has loss and time.
    """
    times, broken = [], 0
    for file in sorted(folder.glob('*/vis_data/scalars.json')):
        for line in read_regular(file).splitlines():
            entry = parse_scalars(line)
            if entry is None:
                broken += 1
            elif {'loss', 'time'} <= entry.keys():
                times.append(entry['time'])
    if broken:
        print(
            f'{broken} broken lines of {folder}/*/vis_data/scalars.json are '
            f'left out; a killed training leaves one'
        )
    if not times:
        raise ValueError(
            f'{folder}/*/vis_data/scalars.json has no line with loss and '
            f'time; train again'
        )
    return EPOCH * mean(times)


def _count_parameters(config: str, seed_folder: Path) -> int:
    """Return the parameters of a model, of those that are tested."""
    from mmengine.config import Config
    from mmengine.registry import DefaultScope

    from ltvl_mm.registry import MODELS

    os.environ['LTVL_TOY_ROOT'] = str(
        seed_folder / 'world'
    )  # names of classes
    cfg = Config.fromfile(ROOT / f'configs/toy/{config}.py')
    model = _forget_weights(cfg.model.to_dict())
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        weights = MODELS.build(model).parameters()
    return sum(weight.numel() for weight in weights)


def _forget_weights(cfg: dict) -> dict:
    """Return a model config that asks for no file of weights."""
    return {
        name: _forget_weights(value) if isinstance(value, dict) else value
        for name, value in cfg.items()
        if name != 'pretrained'
    }
