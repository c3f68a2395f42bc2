"""Fixtures of retrievals in the world of three colors."""

import pytest
from color_world import embed_test_image, embed_web, make_run


@pytest.fixture
def store(tmp_path):
    return embed_web(tmp_path)


@pytest.fixture
def kept_out(tmp_path):
    return embed_test_image(tmp_path)


@pytest.fixture
def run(store, kept_out, tmp_path):
    return make_run(store, kept_out, tmp_path)
