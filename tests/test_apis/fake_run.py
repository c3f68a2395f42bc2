"""A run whose tools only write empty files."""

from PIL import Image
from stress.kill_embedding import write_memory

import ltvl_mm
from ltvl_mm.apis.tackle_run import run as run_module

# Writes what a tool leaves, and dies in the call that DIE_AT says.
FAKE = """
import os, sys
out = os.environ['CALLS']
with open(out, 'a') as file:
    file.write(os.path.basename(sys.argv[0]) + '\\n')
number = len(open(out).readlines())
def touch(*parts):
    path = os.path.join(*parts)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    open(path, 'a').close()
words = [part for word in sys.argv[1:] for part in word.split('=', 1)]
def value(name):
    return words[words.index(name) + 1] if name in words else None
tool = os.path.basename(sys.argv[0])
folder = value('-o') or value('--work-dir')
if tool == 'train.py':
    os.makedirs(folder, exist_ok=True)
if number == int(os.environ.get('DIE_AT', 0)):
    os._exit(9)
if tool == 'train.py':
    touch(folder, 'last_checkpoint')
if tool == 'test.py':
    touch(value('--out'))
    if value('--predictions'):
        touch(value('--predictions'))
if tool == 'embed_images.py':
    touch(folder, 'store.json')
if tool == 'retrieve.py':
    touch(folder, 'manifest.parquet')
if tool == 'check_retrieval.py':
    touch(sys.argv[1], 'quality.json')
if tool == 'tune_ensemble.py':
    touch(folder, 'ensemble.json')
if tool == 'report.py':
    touch(folder)
"""
STUDENT = """
model = dict(
    type='ImageClassifier',
    backbone=dict(
        type='ResNet', depth=18, num_stages=1, out_indices=(0,),
        strides=(1,), dilations=(1,), base_channels=8, stem_channels=8,
    ),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(
        type='LinearClsHead', num_classes=1000, in_channels=8,
        loss=dict(type='CrossEntropyLoss'), topk=(1, 5),
    ),
)
data_preprocessor = dict(mean=[0, 0, 0], std=[255, 255, 255], to_rgb=True)
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.4, momentum=0.9))
train_dataloader = dict(batch_size=128)
"""
STAGES = [
    'test.py',
    'embed_images.py',
    'embed_images.py',
    'retrieve.py',
    'check_retrieval.py',
    'test.py',
    'train.py',
    'test.py',
    'train.py',
    'test.py',
    'test.py',
    'tune_ensemble.py',
    'test.py',
    'tune_ensemble.py',
    'report.py',
]


def write_inputs(tmp_path_factory):
    """Folder of photos, web images, a CLIP, a student and fake tools."""
    folder = tmp_path_factory.mktemp('inputs')
    write_memory(folder, tars=2)
    number = 0
    for name, count in (('big_cat', 12), ('dog', 6), ('owl', 1)):
        for image in range(count):
            file = folder / 'photos' / name / f'{image}.png'
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.new('RGB', (40, 30), (number, 9, 9)).save(file)
            number += 9
    (folder / 'student.py').write_text(STUDENT)
    for name in {*STAGES}:
        inner = 'analysis_tools' if name[:4] in ('chec', 'tune') else ''
        tool = folder / 'tools' / inner / name
        tool.parent.mkdir(parents=True, exist_ok=True)
        tool.write_text(FAKE)
    return folder


def make_fake_run(inputs, tmp_path, monkeypatch):
    """Function that runs with fake tools; returns the tools called."""
    calls = tmp_path / 'calls'
    monkeypatch.setenv('CALLS', str(calls))
    monkeypatch.setattr(
        'ltvl_mm.apis.tackle_run.run_preparation.find_tools',
        lambda: inputs / 'tools',
    )
    for name in ('describe_zero_shot', 'describe_retrieval'):
        monkeypatch.setattr(run_module, name, lambda *args, name=name: name)
    monkeypatch.setattr(run_module, 'describe_scores', lambda *args: 'scores')
    sentences = lambda *args: ('One.', 'Two.', 'Three.')  # noqa: E731
    monkeypatch.setattr(run_module, 'judge_runs', sentences)

    def call(*, lines=None, die_at=0, dry_run=False, web=None, **options):
        monkeypatch.setenv('DIE_AT', str(die_at))
        calls.write_text('')
        options = {
            'clip': f'ltvl-toy:{inputs / "clip.pt"}',
            'templates': 'single',
            'student': str(inputs / 'student.py'),
            'iterations': 10,
            'batch_size': 8,
        } | options
        found = ltvl_mm.run_tackle(
            inputs / 'photos',
            out=tmp_path / 'out',
            web=inputs / 'memory' if web is None else web,
            options=ltvl_mm.RunOptions(**options),
            dry_run=dry_run,
            say=(lines if lines is not None else []).append,
        )
        return found, calls.read_text().split()

    return call
