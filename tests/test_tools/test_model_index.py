"""The model index, metafiles and READMEs say what tables.yml does."""

from pathlib import Path

from leaves import find_leaf
from modelindex.load_model_index import load
from tools_in_process import fresh_modules

ROOT = Path(__file__).parents[2]
PROJECT = ROOT / 'projects/paper_tables'


def test_files_are_as_made():
    with fresh_modules(PROJECT):
        from model_index import make_files

        for path, text in make_files().items():
            assert path.read_text(encoding='utf-8') == text, path


def test_mim_reads_the_index(monkeypatch):
    monkeypatch.chdir(ROOT)
    index = load('model-index.yml')
    index.build_models_with_collections()
    models = {model.name: model for model in index.models}
    assert len(models) == len(index.models)
    assert models['tackle_rx50'].in_collection == 'TACKLE'
    assert models[find_leaf('ballad-b_rn50').stem].results[0].metrics == {
        'all, as published': 67.2
    }
    soup = models['lt_soups_vit-b16_1xb128-10e_cifar100-lt']
    assert soup.in_collection == 'LT-Soups'
    assert soup.results[0].metrics == {
        'few, as published': 78.0,
        'all, as published': 83.5,
    }
    for model in index.models:
        assert (ROOT / model.config).exists()
    for collection in index.collections:
        assert (ROOT / collection.readme).exists()
