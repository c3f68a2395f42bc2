"""Engines are chosen by name; a wrong choice is told before the work."""

import subprocess
import sys

import pytest

import ltvl_mm
from ltvl_mm.retrieval.dealing.engine_choice import open_engine
from ltvl_mm.retrieval.dealing.local_engine import LocalEngine


def test_the_local_engine_is_opened_by_name():
    with open_engine('local') as engine:
        assert isinstance(engine, LocalEngine)


@pytest.mark.parametrize(
    ('name', 'options', 'message'),
    [
        ('spark', {}, "one of local, ray, got 'spark'"),
        ('local', {'address': 'auto'}, "address .*got 'auto' .*--engine ray"),
        ('local', {'encoders': 2}, 'encoders .*got 2 .*--engine ray'),
        ('ray', {'encoders': 0}, 'encoders must be >= 1, got 0'),
    ],
)
def test_a_wrong_choice_is_an_error(name, options, message):
    with (
        pytest.raises(ValueError, match=message),
        open_engine(name, **options),
    ):
        pass


def test_without_ray_the_error_names_the_extra(monkeypatch):
    for name in list(sys.modules):
        if name == 'ray' or name.startswith(
            ('ray.', 'ltvl_mm.retrieval.deal')
        ):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, 'ray', None)
    from ltvl_mm.retrieval.dealing import engine_choice

    with (
        pytest.raises(ImportError, match=r"pip install '\.\[cluster\]'"),
        engine_choice.open_engine('ray'),
    ):
        pass


def test_embed_checks_the_engine_before_it_builds_the_encoder(tmp_path):
    (tmp_path / 'a.png').write_bytes(b'')
    with pytest.raises(ValueError, match="one of local, ray, got 'spark'"):
        ltvl_mm.embed(
            tmp_path, tmp_path / 'out', arch='no arch', engine='spark'
        )


def test_the_local_engine_imports_no_ray():
    script = """
import sys
import ltvl_mm
from ltvl_mm.apis import embed, retrieve
from ltvl_mm.retrieval.dealing.engine_choice import open_engine
with open_engine('local'):
    assert 'ray' not in sys.modules
"""
    subprocess.run([sys.executable, '-c', script], check=True, timeout=120)
