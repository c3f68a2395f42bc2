"""The examples of the docstrings, as a user types them one after another."""

import doctest
import sys
from pathlib import Path

import numpy as np
import pytest
from mmengine.logging import MMLogger
from PIL import Image
from toy_clip import write_toy_classifier

from ltvl_mm import apis
from ltvl_mm.datasets import TACKLEDataset

ROOT = Path(__file__).parents[2]
EXAMPLES = [
    apis.embed,
    apis.retrieve,
    TACKLEDataset.from_retrieval,
    apis.list_models,
    apis.get_model,
    apis.LongTailInferencer,
    apis.run_tackle,  # shown, not run: minutes
]


@pytest.fixture
def folder(target, toy_folder):
    """Where a user works: web images, a target, a CLIP, the configs."""
    rng = np.random.default_rng(0)
    tmp_path = toy_folder
    (tmp_path / 'web').mkdir()
    for number in range(6):
        pixels = rng.integers(0, 256, (32, 32, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / 'web' / f'{number}.png')
    (tmp_path / 'class_names.txt').write_text('cat\ndog\nowl\n')
    write_toy_classifier(tmp_path / 'clip.pth')
    (tmp_path / 'configs').symlink_to(ROOT / 'configs')
    # It keeps the stdout of its birth, which must not be an example's.
    MMLogger.get_current_instance()
    return tmp_path


def test_the_examples_run_in_the_order_of_the_work(folder, capsys):
    finder, runner = (
        doctest.DocTestFinder(recurse=False),
        doctest.DocTestRunner(),
    )
    for part in EXAMPLES:
        tests = finder.find(part, part.__name__, sys.modules[part.__module__])
        assert sum(len(test.examples) for test in tests) > 0, part
        for test in tests:
            failed = runner.run(test).failed
            assert not failed, f'{part.__name__}:\n{capsys.readouterr().out}'


def test_all_that_has_examples_is_among_them():
    for name in apis.__all__:
        part = getattr(apis, name)
        assert ('>>>' in part.__doc__) == (part in EXAMPLES), name
