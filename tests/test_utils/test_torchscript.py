"""Weights of TorchScript archives, read without running them."""

import pickle
import zipfile

import pytest
import torch
from torch import nn

from ltvl_mm.utils.torchscript import is_torchscript, read_torchscript


class Tower(nn.Module):
    def __init__(self, shared: nn.Linear):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 2)
        self.norm = nn.BatchNorm2d(4)
        self.layers = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
        self.shared = shared
        self.scale = torch.ones(2)  # neither parameter nor buffer
        self.sizes = [1, 2]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.norm(self.conv(x)).mean((2, 3))
        return self.shared(self.layers(x)) * self.scale[0]


class TinyCLIP(nn.Module):
    def __init__(self):
        super().__init__()
        shared = nn.Linear(4, 5)
        self.visual = Tower(shared)
        self.other = Tower(shared)
        self.logit_scale = nn.Parameter(torch.tensor(2.0))
        self.register_buffer('mask', torch.eye(3).expand(2, 3, 3)[:, 1:])
        self.register_buffer('ids', torch.arange(4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.visual(x) @ self.other(x).T * self.logit_scale
        return x + self.mask.sum() + self.ids.sum()


def save(kind, path, model=None):
    torch.manual_seed(0)
    model = (model or TinyCLIP()).eval()
    if kind.endswith('bfloat16'):
        model = model.bfloat16()
    if kind.startswith('traced'):
        module = torch.jit.trace(model, torch.ones(2, 3, 4, 4))
    else:
        module = torch.jit.script(model)
    if kind.endswith('half'):
        module = module.half()  # as OpenAI's
    torch.jit.save(module, str(path))


@pytest.mark.parametrize(
    'kind', ['scripted', 'traced', 'traced_half', 'scripted_bfloat16']
)
def test_state_dict_equals_that_of_torch(kind, tmp_path):
    file = tmp_path / 'clip.pt'
    save(kind, file)
    assert is_torchscript(file)
    expected = torch.jit.load(file).state_dict()
    found = read_torchscript(file)
    assert list(found) == list(expected)
    assert 'visual.layers.1.bias' in found
    assert 'visual.scale' not in found
    for name, tensor in expected.items():
        assert found[name].dtype == tensor.dtype, name
        assert torch.equal(found[name], tensor), name


def rewrite(source, target, change):
    """Copy an archive, with other bytes or members."""
    with (
        zipfile.ZipFile(source) as old,
        zipfile.ZipFile(target, 'w') as new,
    ):
        for name in old.namelist():
            content = change(name, old.read(name))
            if content is not None:
                new.writestr(name, content)


def drop_tensor(name, content):
    return None if name.endswith('data/0') else content


def grow_code(name, content):
    return b' ' * (65 << 20) if name.endswith('.py') else content


def cut_pickle(name, content):
    return content[:-5] if name.endswith('/data.pkl') else content


def contain_itself(name, content):
    """Make the tree a module X whose child ``a`` is X itself."""
    if name.endswith('/data.pkl'):
        return (
            b'\x80\x02c__torch__.test_torchscript\nX\n)\x81q\x00'
            b'}(X\x01\x00\x00\x00ah\x00ub.'
        )
    if name.endswith('.py'):
        return b'class X(Module):\n  __parameters__ = []\n'
    return content


def enlarge(name, content):
    """Shape (2,) -> (99,) of a tensor of two numbers."""
    if not name.endswith('/data.pkl'):
        return content
    return content.replace(b'(K\x02t', b'(Kct')


class Two(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.weight


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (drop_tensor, 'has no file data/0'),
        (grow_code, 'more than 64 MiB'),
        (cut_pickle, 'pickle'),
        (contain_itself, 'nested too deeply'),
        (enlarge, 'out of bounds'),
    ],
)
def test_broken_archives_are_errors(change, message, tmp_path):
    save('scripted', tmp_path / 'a.pt', Two())
    rewrite(tmp_path / 'a.pt', tmp_path / 'b.pt', change)
    with pytest.raises((ValueError, RuntimeError), match=message):
        read_torchscript(tmp_path / 'b.pt')


def test_calls_in_the_tree_are_not_made(tmp_path):
    save('scripted', tmp_path / 'a.pt', Two())
    marker = tmp_path / 'code_ran'

    class Act:
        def __reduce__(self):
            return open, (str(marker), 'w')

    def act(name, content):
        is_tree = name.endswith('/data.pkl')
        return pickle.dumps(Act(), protocol=2) if is_tree else content

    rewrite(tmp_path / 'a.pt', tmp_path / 'b.pt', act)
    assert read_torchscript(tmp_path / 'b.pt') == {}
    assert not marker.exists()


def test_other_files_are_no_archives(tmp_path):
    torch.save({'w': torch.ones(1)}, tmp_path / 'a.pth')
    (tmp_path / 'b.pth').write_bytes(b'PK\3\4')
    assert not is_torchscript(tmp_path / 'a.pth')
    assert not is_torchscript(tmp_path / 'b.pth')
