"""Run folders damaged in any way: the page appears and names the damage."""

import importlib.util
import io
import json
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from study_folder import write_study
from threadpoolctl import threadpool_limits

from ltvl_mm.visualization.report import page

ROOT = Path(__file__).parents[2]
RUN, WEB = 'seed0/tackle', 'retrieved'
LINES = f'{RUN}/20260101_000000/vis_data/scalars.json'
FILES = (
    *(f'{RUN}/{name}' for name in ('test.npz', 'features_test.npz')),
    *(f'{RUN}/{name}' for name in ('metrics.json', 'config.json')),
    *(f'{RUN}/tackle.py', f'{RUN}/commands.jsonl', LINES),
    *(f'{WEB}/{name}' for name in ('report.json', 'copies/copies.json')),
    f'{WEB}/quality.json',
    *(f'{WEB}/{name}' for name in ('manifest.parquet', 'commands.jsonl')),
)
SIMPLE = (
    st.none()
    | st.booleans()
    | st.integers(-3, 9)
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from([10**400, -1, '\ud800', '\0', '../x', [], {}, [[]]])
)
JSON = st.recursive(
    SIMPLE,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                'step loss lr shot/all shot/few shot/per_class classes key '
                'environment versions randomness seed test_evaluator manifest '
                'class_counts num_classes train_dataloader dataset zero_shot '
                'groups precision warnings reason remedies'.split()
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
BYTES = (
    st.binary(max_size=60)
    | JSON.map(lambda value: json.dumps(value).encode())
    | st.sampled_from(
        [
            b'',
            b'[' * 20000,
            b'[' * 900 + b']' * 900,
            b'{"step": ' + b'9' * 5000 + b'}',
            b'{"step": 1e999, "loss": 1}',
            b'\xff\xfe{\x00',
            b'{"shot/all": "\\ud800", "shot/few": NaN}',
        ]
    )
)
ARRAYS = (
    lambda array: array.astype(str),
    lambda array: array.astype(bytes),
    lambda array: np.zeros(array.shape, np.complex64),
    lambda array: np.zeros(array.shape, np.uint64),
    lambda array: np.zeros(array.shape, bool),
    lambda array: np.zeros(array.shape, 'datetime64[s]'),
    lambda array: np.zeros(array.shape, [('a', int)]),
    lambda array: np.full(array.shape, np.inf, np.float16),
    lambda array: array[None],
    lambda array: array[..., None],
    lambda array: np.atleast_1d(array)[:0],  # also of a single value
    lambda array: np.atleast_1d(array)[:3],
    lambda array: array.ravel()[0],
)
COLUMNS = (
    lambda column: pa.nulls(len(column)),
    lambda column: pa.array([str(value) for value in column.to_pylist()]),
    lambda column: pa.array([[1]] * len(column)),
    lambda column: pa.array([1.5] * len(column)),
    lambda column: pa.array([float('nan')] * len(column)),
    lambda column: pa.array([2**40] * len(column)),
    lambda column: pa.array([b'\xff'] * len(column)),
    lambda column: pa.array([True] * len(column)),
    lambda column: column.take([0] * len(column)),
)


def spoil_leaf(draw, text):
    """Return JSON in which one value, drawn at any depth, is another one."""
    value = json.loads(text)
    holder, key = [value], 0
    for _ in range(draw(st.integers(0, 4))):
        inner = holder[key]
        if not isinstance(inner, (dict, list)) or not inner:
            break
        keys = list(inner) if isinstance(inner, dict) else range(len(inner))
        holder, key = inner, draw(st.sampled_from(keys))
    if isinstance(holder, dict) and draw(st.booleans()):
        del holder[key]
    else:
        holder[key] = draw(JSON)
        value = holder[0] if holder is not value and key == 0 else value
    return json.dumps(value).encode()


def spoil_arrays(draw, file):
    with np.load(file) as arrays:
        found = dict(arrays)
    names = st.sampled_from(sorted(found))
    for name in draw(st.lists(names, min_size=1, max_size=2, unique=True)):
        found[name] = draw(st.sampled_from(ARRAYS))(found[name])
    buffer = io.BytesIO()
    np.savez(buffer, **found)
    return buffer.getvalue()


def spoil_table(draw, file):
    table = pq.read_table(file)
    if draw(st.booleans()):
        header = spoil_leaf(draw, table.schema.metadata[b'ltvl_mm'])
        table = table.replace_schema_metadata({'ltvl_mm': header})
    else:
        number = draw(st.integers(0, table.num_columns - 1))
        name, column = table.column_names[number], table.column(number)
        metadata = table.schema.metadata
        table = table.remove_column(number)
        if draw(st.booleans()):
            change = draw(st.sampled_from(COLUMNS))
            table = table.append_column(name, change(column))
        table = table.replace_schema_metadata(metadata)
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def spoil_lines(draw, file):
    lines = [file.read_text()]
    if file.suffix == '.jsonl' or file.name == 'scalars.json':
        lines = lines[0].splitlines()
    for _ in range(draw(st.integers(1, 2))):
        lines = [spoil_leaf(draw, line) for line in lines]
    return b'\n'.join(lines)


def spoil_types(draw, file):
    """Return the content of a whole file with a value of another type."""
    if file.suffix == '.npz':
        return spoil_arrays(draw, file)
    if file.suffix == '.parquet':
        return spoil_table(draw, file)
    if file.suffix == '.py' or not file.is_file():
        return draw(BYTES)
    return spoil_lines(draw, file)


def damage(draw, file, original):
    """Replace a file by one that is cut, flipped, of another type, ...

    Args:
        draw: Function that draws from a strategy.
        file: The file, which may be damaged already.
        original: The same file before any damage; values can be changed
            only in a file that can be read.
    """
    kind = draw(
        st.sampled_from(['types', 'types', 'bytes', 'cut', 'flip', 'other'])
    )
    if file.is_dir() or (file.exists() and not file.is_file()):
        return  # damaged before
    before = file.read_bytes() if file.is_file() else b'x'
    if kind == 'types':
        content = spoil_types(draw, original)
    elif kind == 'bytes':
        content = draw(BYTES)
    elif kind == 'cut':
        content = before[: draw(st.integers(0, len(before)))]
    else:
        content = bytearray(before or b'x')
        content[draw(st.integers(0, len(content) - 1))] ^= 0xFF
    file.unlink(missing_ok=True)
    if kind == 'other':
        make = draw(st.sampled_from([os.mkdir, os.mkfifo]))
        make(file)
    else:
        file.write_bytes(bytes(content))


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp('whole'))


@pytest.fixture(scope='module')
def report():
    spec = importlib.util.spec_from_file_location(
        'report_tool', ROOT / 'tools/report.py'
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def write_page(report, monkeypatch, capsys):
    """Return a function that runs the command, and returns page and lines."""
    # Plotly's library takes most of the time of a page.
    monkeypatch.setattr(page, 'pack_library', str)
    monkeypatch.setattr(report.sys.stdout, 'reconfigure', print, raising=False)

    def write(out, *words):
        monkeypatch.setattr(
            sys, 'argv', ['report.py', *map(str, words), '-o', str(out)]
        )
        out.unlink(missing_ok=True)
        with threadpool_limits(1):  # t-SNE's threads wait for busy cores
            report.main()
        return out.read_text(encoding='utf-8'), capsys.readouterr().out

    return write


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
    ],
)
@given(st.data())
def test_the_page_always_appears(whole, tmp_path, write_page, data):
    study = tmp_path / 'study'
    shutil.rmtree(study, ignore_errors=True)
    shutil.copytree(whole, study)
    config = study / RUN / 'tackle.py'
    config.write_text(config.read_text().replace(str(whole), str(study)))
    names = data.draw(st.lists(st.sampled_from(FILES), min_size=1, max_size=4))
    for name in names:
        damage(data.draw, study / name, whole / name)
    text, lines = write_page(
        tmp_path / 'x.html', study / 'seed0/plain', study / RUN
    )
    assert '<section id="missing">' in text
    assert 'x.html: ' in lines


def answer_in_turn(*answers):
    """Return a function that draws the answers, whatever the strategy is."""
    left = iter(answers)
    return lambda _: next(left)


@pytest.mark.parametrize('cut', [('cut', 0), ('cut', 4), ('flip', 141)])
def test_a_file_that_is_damaged_twice_is_named(
    whole, tmp_path, write_page, cut
):
    shutil.copytree(whole / RUN, tmp_path / 'run')
    for name in ('test.npz', 'features_test.npz'):
        file, original = tmp_path / 'run' / name, whole / RUN / name
        for answers in (cut, ('types', ['labels'], ARRAYS[0]), cut):
            damage(answer_in_turn(*answers), file, original)
    text, _ = write_page(tmp_path / 'x.html', tmp_path / 'run')
    missing = text.split('<section id="missing">')[1]
    for name in ('test.npz', 'features_test.npz'):
        assert f'{name} does not hold' in missing


def test_a_manifest_whose_text_is_not_utf8_is_named(
    whole, tmp_path, write_page
):
    study = tmp_path / 'study'
    shutil.copytree(whole, study)
    config = study / RUN / 'tackle.py'
    config.write_text(config.read_text().replace(str(whole), str(study)))
    file = study / WEB / 'manifest.parquet'
    table = pq.read_table(file)
    number = table.column_names.index('file')
    names = [f'b\xca{row}.png'.encode('latin-1') for row in range(len(table))]
    column = pa.array(names).view(pa.string())
    pq.write_table(table.set_column(number, 'file', column), file)
    text, _ = write_page(tmp_path / 'x.html', study / RUN)
    missing = text.split('<section id="missing">')[1]
    assert 'manifest.parquet: the column file is not text' in missing
