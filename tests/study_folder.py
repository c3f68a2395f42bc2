"""A folder as two trainings, with and without retrieval, leave it."""

import json

import numpy as np
from PIL import Image
from small_inputs import write_manifest

from ltvl_mm.structures.copy_pictures import CopyPicture, save_copy_pictures
from ltvl_mm.structures.features import Features, save_features
from ltvl_mm.structures.manifest_file import load_manifest, save_manifest
from ltvl_mm.structures.predictions import Predictions, save_predictions
from ltvl_mm.utils.io import write_json
from ltvl_mm.visualization.report import make_study
from ltvl_mm.visualization.report.run_reader import read_run

HOSTILE = '<script>window.hit = 1</script>'
NAMES = ('cat', 'dog', 'owl', f'toad {HOSTILE}')
COUNTS = (150, 40, 12, 3)
PER_CLASS = 6
QUALITY = {
    'zero_shot': {'many': 90.0, 'few': 12.5, 'all': 40.0},
    'precision': {'many': None, 'few': 25.0, 'all': 40.0},
    'warnings': [
        {
            'kind': 'precision',
            'reason': f'about 40 % show their class {HOSTILE}',
            'remedies': ['Take fewer images a class (--budget).'],
        }
    ],
}


def write_study(root, seeds=(0,)):
    """Write ``seed<s>/{plain,tackle}`` and ``retrieved/``; return root."""
    counts = write_training_images(root)
    retrieved = write_retrieval(root / 'retrieved')
    for seed in seeds:
        folder = root / f'seed{seed}'
        write_run(folder / 'plain', counts, (6, 4, 1, 0), seed)
        write_run(folder / 'tackle', counts, (5, 4, 4, 3), seed, retrieved)
    return root


def write_training_images(root):
    """Write ``train.txt`` and the first image of each class; return it."""
    lines = []
    for label, count in enumerate(COUNTS):
        for number in range(count):
            lines.append(f'photos/{label}_{number}.png {label}\n')
        file = root / f'photos/{label}_0.png'
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new('RGB', (8, 8), (60 * label, 90, 120)).save(file)
    (root / 'train.txt').write_text(''.join(lines))
    return root / 'train.txt'


def write_run(folder, counts, right, seed, manifest=None):
    """Write a run that is right on so many of the images of each class."""
    labels = np.repeat(np.arange(4), PER_CLASS)
    turn = np.tile(np.arange(PER_CLASS), 4)
    hit = turn < np.array(right)[labels]
    pred = np.where(hit, labels, (labels + 1) % 4)
    scores = np.full((len(labels), 4), 0.1, np.float32)
    scores[np.arange(len(labels)), pred] = 0.7
    paths = tuple(f'test/{number:02d}.png' for number in range(len(labels)))
    save_predictions(
        folder / 'test.npz', Predictions(scores, labels, paths, NAMES)
    )
    points = np.random.default_rng(seed).normal(size=(len(labels), 5))
    save_features(
        folder / 'features_test.npz',
        Features(points.astype(np.float32), labels, paths),
    )
    web = '' if manifest is None else f'manifest={str(manifest)!r}, '
    (folder / f'{folder.name}.py').write_text(
        f'train_dataloader = dict(dataset=dict({web}dataset=dict()))\n'
        f'test_evaluator = dict(\n'
        f"    type='ltvl_mm.ShotAccuracy',\n"
        f'    class_counts={str(counts)!r},\n'
        f'    num_classes=4)\n'
        f'randomness = dict(seed={seed})\n'
    )
    lines = [dict(loss=3.0, lr=0.1, step=50), dict(loss=1.0, lr=0.01, step=99)]
    lines += [{'shot/few': 10.0, 'shot/all': 20.5, 'step': 2}]
    scalars = folder / '20260101_000000/vis_data/scalars.json'
    scalars.parent.mkdir(parents=True)
    scalars.write_text(''.join(f'{json.dumps(line)}\n' for line in lines))
    write_command(folder)


def write_command(folder):
    command = dict(
        command='python tools/train.py configs/x.py',
        folder='/somewhere',
        environment={},
        time='2026-01-01T00:00:00+00:00',
        commit='0123456789ab',
        versions=dict(torch='2.0'),
        device='2 CPU cores (x86_64)',
    )
    (folder / 'commands.jsonl').write_text(f'{json.dumps(command)}\n')


def write_retrieval(folder):
    """Write what was retrieved, with hostile captions; return the manifest."""
    path = write_manifest(folder, NAMES, [0, 1, 1, 2, 2, 2, 3, 3, 3, 3])
    rows = load_manifest(path)
    caption = [HOSTILE, '" onerror="window.hit = 1', '', *['a web cat'] * 7]
    save_manifest(path, type(rows)(**{**vars(rows), 'caption': caption}))
    counts = rows.count_classes().tolist()
    write_json(
        folder / 'report.json',
        {
            'copies_of_excluded_images': 1,
            'classes': [
                {
                    'class_id': label,
                    'wanted': 4,
                    'retrieved': counts[label],
                    'duplicates': 0,
                    'copies_of_excluded_images': 0,
                    'highest_score': -float(label),
                    'short_because': None,
                }
                for label in range(4)
            ],
        },
    )
    write_json(folder / 'quality.json', QUALITY)
    save_copy_pictures(
        folder,
        [CopyPicture('k99', HOSTILE, (0,), 0.98, 'looks', rows.file[0], '')],
    )
    write_command(folder)
    return path


def read_study(folder, *, seeds=(0, 1)):
    """Read both trainings of each seed."""
    return make_study(
        [
            read_run(folder / f'seed{seed}/{name}', name)
            for seed in seeds
            for name in ('plain', 'tackle')
        ]
    )
