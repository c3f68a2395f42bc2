"""Calls that could run code or start programs: each place is reviewed.

A new call of this kind fails here until somebody has looked at where its data
comes from and has added it below with a reason.
"""

import ast
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ('ltvl_mm', 'tools', 'projects')
# Ends of dotted names: 'Image.open' also finds PIL.Image.open.
DANGEROUS = {
    'torch.load',
    'torch.jit.load',
    'torch.hub.load',
    'pickle.load',
    'pickle.loads',
    'pickle.Unpickler',
    'cloudpickle.loads',
    'np.load',
    'numpy.load',
    'joblib.load',
    'yaml.load',
    'Config.fromfile',
    'Config.fromstring',
    'Image.open',
    'load_checkpoint',
    'load_state_dict_from_url',
    'subprocess.run',
    'subprocess.Popen',
    'subprocess.call',
    'subprocess.check_call',
    'subprocess.check_output',
    'os.system',
    'os.popen',
    'os.execv',
    'os.execvp',
    'importlib.import_module',
    'runpy.run_path',
}
BUILTINS = {'eval', 'exec', 'compile', '__import__'}

# File -> call -> number of places, and why they are safe.
REVIEWED: dict[str, dict[str, tuple[int, str]]] = {
    'ltvl_mm/__main__.py': {
        'os.execvp': (1, 'our own launchers'),
        'runpy.run_path': (1, 'our own tools'),
    },
    'ltvl_mm/apis/model_hub.py': {
        'Config.fromfile': (1, 'a config that the caller names'),
        'load_checkpoint': (1, 'through the loaders that ltvl_mm replaces'),
    },
    'ltvl_mm/apis/weight_soup.py': {
        'Config.fromfile': (1, 'a config that the caller names'),
    },
    'ltvl_mm/datasets/emoji_corpus.py': {
        'np.load': (1, 'allow_pickle=False'),
    },
    'ltvl_mm/apis/tackle_run/student_config.py': {
        'Config.fromfile': (1, 'a config that the user names'),
    },
    'ltvl_mm/retrieval/dealing/ray_tasks.py': {
        'cloudpickle.loads': (
            1,
            'what this program put into the store of Ray',
        ),
    },
    'ltvl_mm/structures/feature_cache.py': {
        'np.load': (1, 'allow_pickle=False'),
    },
    'ltvl_mm/structures/labels.py': {
        'import pickle': (1, 'for the call below'),
        'pickle.loads': (1, 'records that mmengine pickled in this process'),
    },
    'ltvl_mm/utils/checkpoints.py': {
        'import pickle': (1, 'its UnpicklingError'),
        'torch.load': (1, 'weights_only=True, data-only stand-ins'),
    },
    'ltvl_mm/utils/image_decoding.py': {
        'Image.open': (1, 'formats=list_raster_formats()'),
    },
    'ltvl_mm/utils/io.py': {'np.load': (1, 'allow_pickle=False')},
    'ltvl_mm/utils/provenance.py': {
        'subprocess.run': (1, 'git in the folder of the code'),
    },
    'ltvl_mm/utils/runner_weights.py': {
        'load_checkpoint': (1, 'through the loaders that ltvl_mm replaces'),
    },
    'ltvl_mm/utils/stage_runner.py': {
        'subprocess.Popen': (1, 'commands of our own studies'),
    },
    'ltvl_mm/utils/warm_process.py': {
        'subprocess.Popen': (1, 'ltvl_mm.utils.warm_server, without a shell'),
    },
    'ltvl_mm/utils/warm_server.py': {
        'importlib.import_module': (1, 'modules that our own study names'),
        'runpy.run_path': (1, 'our own commands, from the parent process'),
    },
    'projects/paper_tables/costs.py': {
        'Config.fromfile': (1, 'configs of this repository'),
    },
    'projects/paper_tables/plan.py': {
        'Config.fromfile': (2, 'configs of this repository'),
    },
    'projects/paper_tables/prerequisites.py': {
        'Config.fromfile': (2, 'configs of this repository'),
    },
    'projects/paper_tables/run.py': {
        'subprocess.run': (1, 'git in the folder of the code'),
    },
    'tools/analysis_tools/aggregate_experts.py': {
        'Config.fromfile': (1, 'a config that the user names'),
    },
    'tools/analysis_tools/save_features.py': {
        'Config.fromfile': (1, 'a config that the user names'),
    },
    'tools/benchmarks/phase_b_run.py': {
        'Config.fromfile': (2, 'configs of this repository'),
    },
    'tools/benchmarks/embedding_host_runs.py': {
        'Image.open': (1, 'images that the benchmark made'),
        'subprocess.run': (1, 'pip, in a folder that the user names'),
    },
    'tools/benchmarks/object_store_overhead.py': {
        'subprocess.Popen': (1, 'a server of the environment'),
    },
    'tools/benchmarks/training_overhead_runs.py': {
        'Config.fromfile': (1, 'a config of this repository'),
    },
    'tools/benchmarks/phase_b_real_runs.py': {
        'Config.fromfile': (2, 'configs of this repository'),
    },
    'tools/benchmarks/help_time.py': {
        'subprocess.run': (1, 'our own commands with --help'),
    },
    'tools/benchmarks/report_runs.py': {
        'subprocess.run': (1, 'our own tools/report.py'),
    },
    'tools/benchmarks/retrieval_at_scale_runs.py': {
        'np.load': (1, 'a store that the benchmark made'),
        'subprocess.run': (1, 'the benchmark itself, in a new process'),
    },
    'tools/benchmarks/retrieval_memory.py': {
        'subprocess.run': (1, 'the benchmark itself, in a new process'),
    },
    'tools/benchmarks/start_time_runs.py': {
        'subprocess.run': (1, "our own tools, and mmpretrain's train.py"),
    },
    'tools/cache_features.py': {
        'Config.fromfile': (1, 'a config that the user names'),
    },
    'tools/flatten_config.py': {
        'Config.fromfile': (1, 'a config that the user names'),
    },
    'tools/model_converters/convert_checkpoint.py': {
        'torch.load': (1, 'runs the file, only with --trusted'),
    },
    'tools/reproduce.py': {
        'runpy.run_path': (1, 'projects/paper_tables/run.py'),
    },
    'tools/test.py': {'Config.fromfile': (1, 'a config that the user names')},
    'tools/train.py': {'Config.fromfile': (1, 'a config that the user names')},
    'tools/tune_adapter.py': {
        'Config.fromfile': (1, 'a config that the user names')
    },
}


def find_calls(source: str) -> Counter:
    """Count the dangerous calls of a module by their dotted name."""
    found: Counter = Counter()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if name in BUILTINS:
                found[name] += 1
            for call in DANGEROUS:
                if name == call or name.endswith(f'.{call}'):
                    found[call] += 1
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names = {alias.name for alias in node.names}
            module = getattr(node, 'module', None)
            if 'pickle' in names or module == 'pickle':
                found['import pickle'] += 1
    return found


def list_modules() -> list[Path]:
    return sorted(
        path for name in FOLDERS for path in (ROOT / name).rglob('*.py')
    )


def test_each_place_is_reviewed():
    found = {
        path.relative_to(ROOT).as_posix(): dict(calls)
        for path in list_modules()
        if (calls := find_calls(path.read_text(encoding='utf-8')))
    }
    reviewed = {
        file: {call: count for call, (count, _) in calls.items()}
        for file, calls in REVIEWED.items()
    }
    assert found == reviewed


@pytest.mark.parametrize(
    ('source', 'call'),
    [
        ('import torch\ntorch.load("x")', 'torch.load'),
        ('import pickle', 'import pickle'),
        ('from pickle import loads', 'import pickle'),
        ('from mmengine.config import Config\nConfig.fromfile(x)',
         'Config.fromfile'),
        ('eval("1")', 'eval'),
        ('import PIL.Image\nPIL.Image.open(x)', 'Image.open'),
    ],
)  # fmt: skip
def test_a_new_call_is_found(source, call):
    assert find_calls(source)[call] == 1


def test_words_that_only_look_alike_are_not():
    assert not find_calls('model.eval()\nre.compile("x")\nretrieval(x)')


# Call -> keyword and the value that it must have; None for any value.
KEYWORDS = {
    'np.load': ('allow_pickle', False),
    'Image.open': ('formats', None),
    'torch.load': ('weights_only', True),
}


def find_keyword_faults(source: str) -> list[str]:
    """Return the calls that lack the keyword which makes them safe."""
    faults = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        for call, (keyword, wanted) in KEYWORDS.items():
            if name != call and not name.endswith(f'.{call}'):
                continue
            values = [
                word.value for word in node.keywords if word.arg == keyword
            ]
            safe = [
                value
                for value in values
                if wanted is None
                or (isinstance(value, ast.Constant) and value.value is wanted)
            ]
            if not safe:
                faults.append(ast.unparse(node))
    return faults


def test_loaders_are_called_with_their_safe_option():
    faults = {}
    for path in list_modules():
        if path.name == 'convert_checkpoint.py':  # asks for --trusted
            continue
        found = find_keyword_faults(path.read_text(encoding='utf-8'))
        if found:
            faults[path.name] = found
    assert not faults
    assert find_keyword_faults('np.load(x)') == ['np.load(x)']
    assert find_keyword_faults('torch.load(x, weights_only=False)')
    assert not find_keyword_faults('Image.open(x, formats=FORMATS)')
