"""Files that act when their reader runs what they contain."""

import io
import os
import pickle
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import torch
from torch import nn

FORMATS = (
    'plain_pickle',
    'zip_pickle',
    'getattr_chain',
    'reduced_history',
    'legacy_torch',
    'torchscript',
    'torchscript_dict',
    'pickled_safetensors',
    'tar',
    'pickled_npz',
)


def write_hostile(kind: str, folder: Path, marker: Path) -> Path:
    """Write a file that creates ``marker`` if anything in it is run.

    Args:
        kind: One of FORMATS.
        folder: Existing folder.
        marker: File that must not appear.
    """
    suffix = {'pickled_safetensors': '.safetensors', 'pickled_npz': '.npz'}
    file = folder / f'{kind}{suffix.get(kind, ".pth")}'
    _WRITERS[kind](file, marker)
    return file


class _Act:
    """Run a command when it is unpickled."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.system, (f'touch {self.marker}',)


def _write_plain(file, marker):
    file.write_bytes(pickle.dumps({'state_dict': _Act(marker)}, protocol=2))


def _write_zip(file, marker):
    torch.save({'state_dict': {'w': torch.ones(1)}, 'x': _Act(marker)}, file)


def _write_legacy(file, marker):
    torch.save(
        {'state_dict': {'w': torch.ones(1)}, 'x': _Act(marker)},
        file,
        _use_new_zipfile_serialization=False,
    )


def _write_chain(file, marker):
    """getattr(getattr(getattr, '__self__'), 'exec')(code), by hand.

    mmengine's checkpoints need ``getattr``; a file that may call it has all of
    Python.
    """
    code = f'open({str(marker)!r}, "w")'
    body = (
        b'\x80\x02'
        b'cbuiltins\ngetattr\n('  # getattr(
        b'cbuiltins\ngetattr\n(cbuiltins\ngetattr\n'
        + _text('__self__')
        + b'tR'  # builtins,
        + _text('exec')
        + b'tR('  # 'exec')(
        + _text(code)
        + b'tR.'
    )
    _write_archive(file, body)


def _write_history(file, marker):
    """A log history whose state holds the chain of ``_write_chain``."""
    code = f'open({str(marker)!r}, "w")'
    body = (
        b'\x80\x02cmmengine.logging.history_buffer\nHistoryBuffer\n)\x81}('
        + _text('statistics_methods')
        + b'cbuiltins\ngetattr\n(cbuiltins\ngetattr\n(cbuiltins\ngetattr\n'
        + _text('__self__')
        + b'tR'
        + _text('exec')
        + b'tR('
        + _text(code)
        + b'tRub.'
    )
    _write_archive(file, body)


def _text(value: str) -> bytes:
    data = value.encode()
    return b'X' + len(data).to_bytes(4, 'little') + data


def _write_archive(file, body):
    with zipfile.ZipFile(file, 'w') as archive:
        archive.writestr('archive/data.pkl', body)
        archive.writestr('archive/version', '3\n')
        archive.writestr('archive/byteorder', 'little')


class _TupleState(nn.Module):
    """A module that writes a file when TorchScript sets its state."""

    def __init__(self, marker: str):
        super().__init__()
        self.marker = marker
        self.weight = nn.Parameter(torch.ones(2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.weight

    @torch.jit.export
    def __getstate__(self):
        return self.weight, self.training, self.marker

    @torch.jit.export
    def __setstate__(self, state: tuple[torch.Tensor, bool, str]):
        self.weight = state[0]
        self.training = state[1]
        self.marker = state[2]
        torch.save(state[0], state[2])


class _DictState(nn.Module):
    """The same with a dictionary as state, as modules without code have."""

    def __init__(self, marker: str):
        super().__init__()
        self.marker = marker
        self.weight = nn.Parameter(torch.ones(2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.weight

    @torch.jit.export
    def __getstate__(self):
        return {'weight': self.weight, self.marker: self.weight}

    @torch.jit.export
    def __setstate__(self, state: dict[str, torch.Tensor]):
        self.weight = state['weight']
        self.training = False
        self.marker = ''
        for name in state.keys():
            if name != 'weight':
                torch.save(state[name], name)


def _write_tuple_state(file, marker):
    torch.jit.save(torch.jit.script(_TupleState(str(marker))), str(file))


def _write_dict_state(file, marker):
    torch.jit.save(torch.jit.script(_DictState(str(marker))), str(file))


def _write_tar(file, marker):
    with tarfile.open(file, 'w') as archive:
        for name in ('sys_info', 'pickle', 'storages', 'tensors'):
            data = pickle.dumps(_Act(marker), protocol=2)
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))


def _write_npz(file, marker):
    with open(file, 'wb') as handle:
        np.savez(handle, w=np.array([_Act(marker)], dtype=object))


_WRITERS = {
    'plain_pickle': _write_plain,
    'zip_pickle': _write_zip,
    'getattr_chain': _write_chain,
    'reduced_history': _write_history,
    'legacy_torch': _write_legacy,
    'torchscript': _write_tuple_state,
    'torchscript_dict': _write_dict_state,
    'pickled_safetensors': _write_plain,
    'tar': _write_tar,
    'pickled_npz': _write_npz,
}
