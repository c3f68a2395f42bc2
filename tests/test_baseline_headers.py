"""Headers of baselines name their source and what differs from it."""

import ast
import re
from pathlib import Path

import pytest
from mmengine.config import Config

ROOT = Path(__file__).parents[1] / 'configs'
BASELINES = sorted((ROOT / 'baselines').glob('*.py'))


@pytest.mark.parametrize('path', BASELINES, ids=lambda path: path.stem)
def test_headers_name_the_source_config_and_each_deviation(path):
    text = ' '.join(ast.get_docstring(ast.parse(path.read_text())).split())
    source = text[text.index('Source:') : text.index('Differs:')]
    differs = text[text.index('Differs:') : text.index('Command:')]
    named = ('.json', '.yaml', '.py', '/sh', 'README', 'no config')
    assert any(word in source for word in named)
    assert len(differs) > len('Differs: ')


# Setting -> how a header states it, and words of which one names a deviation.
STATED = {
    'weight decay': (r'weight decay (\d+e-\d+)', ('weight decay',)),
    'epochs': (r'(\d+) epochs', ('epochs', 'whole network')),
    'images': (r'batch(?:es of)? (\d+)', ('batch',)),
    'rate': (r'lr (\d+\.\d+)', ('lr',)),
}


@pytest.mark.parametrize('path', BASELINES, ids=lambda path: path.stem)
def test_headers_name_each_setting_that_is_not_that_of_their_source(path):
    text = ' '.join(ast.get_docstring(ast.parse(path.read_text())).split())
    source = text[text.index('Source:') : text.index('Differs:')]
    differs = text[text.index('Differs:') : text.index('Command:')]
    gpus = int(re.search(r'\.py (\d)', text[text.index('Command:') :])[1])
    cfg = Config.fromfile(path)
    optimizer = cfg.optim_wrapper.optimizer
    ours = {
        'weight decay': optimizer.weight_decay,
        'epochs': cfg.train_cfg.max_epochs,
        'images': gpus * cfg.train_dataloader.batch_size,
        'rate': optimizer.lr,
    }
    for setting, (pattern, words) in STATED.items():
        theirs = re.search(pattern, source)
        if theirs and float(theirs[1]) != ours[setting]:
            assert any(word in differs for word in words), setting
