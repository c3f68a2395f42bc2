"""Read the weights of TorchScript archives without running their code.

``torch.jit.load`` runs a class's ``__setstate__``, which can write files.
The weights need none of the code: they are tensors in a tree of objects.
"""

import re
import zipfile
from pathlib import Path

import torch

from ltvl_mm.utils.plain_pickle import (
    Call,
    Name,
    Stored,
    read_plain_pickle,
)

# Code and the tree of objects; the tensors are limited by the file's size.
_MAX_TEXT_BYTES = 64 << 20
_MAX_MODULES = 100_000
_MAX_NAME = 10_000  # characters of a tensor's name
_STORAGE_DTYPES = {
    'torch.DoubleStorage': torch.float64,
    'torch.FloatStorage': torch.float32,
    'torch.HalfStorage': torch.float16,
    'torch.BFloat16Storage': torch.bfloat16,
    'torch.LongStorage': torch.int64,
    'torch.IntStorage': torch.int32,
    'torch.ShortStorage': torch.int16,
    'torch.CharStorage': torch.int8,
    'torch.ByteStorage': torch.uint8,
    'torch.BoolStorage': torch.bool,
    'torch.ComplexFloatStorage': torch.complex64,
    'torch.ComplexDoubleStorage': torch.complex128,
}
_REBUILD = 'torch._utils._rebuild_tensor_v2'
_CLASS = re.compile(
    r'^class (\w+)\(Module\):\n'
    r'(?:  __parameters__ = \[(.*)\]\n)?'
    r'(?:  __buffers__ = \[(.*)\]\n)?',
    re.MULTILINE,
)
_TEXT = re.compile(r'"([^"]*)"')


def is_torchscript(path: str | Path) -> bool:
    """Return whether a file is a TorchScript archive."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(
            '/code/' in name or name.endswith('constants.pkl')
            for name in archive.namelist()
        )


def read_torchscript(path: str | Path) -> dict[str, torch.Tensor]:
    """Return the state dict of a scripted or traced module.

    The names and tensors are those of ``torch.jit.load(path).state_dict()``,
    on the CPU. Nothing in the archive is run.

    Raises:
        ValueError: If the archive is broken, or its module stores its state
            in a way of its own (``__getstate__``).
    """
    with zipfile.ZipFile(path) as zip_file:
        archive = _Archive(zip_file)
        classes = archive.list_module_classes()
        root = read_plain_pickle(
            archive.read_text('data.pkl'), load_storage=archive.load_storage
        )
    return _collect_tensors(root, classes)


class _Archive:
    """Files of a TorchScript archive, below its one folder."""

    def __init__(self, file: zipfile.ZipFile) -> None:
        self._file = file
        (self._folder,) = {
            name.removesuffix('data.pkl')
            for name in file.namelist()
            if re.fullmatch(r'[^/]*/data\.pkl', name)
        } or {''}
        self._storages: dict[str, torch.Tensor] = {}
        self._text_bytes = 0
        order = f'{self._folder}byteorder'
        if order in file.namelist() and file.read(order) != b'little':
            raise ValueError('it was written on a big-endian machine')

    def read_text(self, name: str) -> bytes:
        """Return a file that is not a tensor, unless it is a zip bomb."""
        self._text_bytes += self._find(name).file_size
        if self._text_bytes > _MAX_TEXT_BYTES:
            raise ValueError(
                f'its code unpacks to more than {_MAX_TEXT_BYTES >> 20} MiB'
            )
        return self._file.read(self._find(name))

    def list_module_classes(self) -> dict[str, set[str]]:
        """Return class name -> names of its parameters and buffers."""
        classes = {}
        start = f'{self._folder}code/'
        for name in self._file.namelist():
            if not (name.startswith(start) and name.endswith('.py')):
                continue
            module = name.removeprefix(start)[:-3].replace('/', '.')
            text = self.read_text(name.removeprefix(self._folder)).decode()
            for match in _CLASS.finditer(text):
                found = _TEXT.findall(f'{match[2] or ""}{match[3] or ""}')
                classes[f'{module}.{match[1]}'] = set(found)
        return classes

    def load_storage(self, key: tuple) -> torch.Tensor:
        """Return a storage as a flat tensor.

        Args:
            key: ``('storage', type, file name, device, length)``.
        """
        kind, dtype_name, name, _, _ = key
        if kind != 'storage' or dtype_name.text not in _STORAGE_DTYPES:
            raise ValueError(f'tensors of {dtype_name} are not supported')
        if name not in self._storages:
            info = self._find(f'data/{name}')
            if info.compress_type != zipfile.ZIP_STORED:
                raise ValueError(f'its tensor {name} is compressed')
            # frombuffer shares a bytearray's memory, so each is kept once.
            raw = bytearray(self._file.read(info))
            dtype = _STORAGE_DTYPES[dtype_name.text]
            self._storages[name] = (
                torch.frombuffer(raw, dtype=dtype)
                if raw
                else torch.empty(0, dtype=dtype)
            )
        return self._storages[name]

    def _find(self, name: str) -> zipfile.ZipInfo:
        try:
            return self._file.getinfo(f'{self._folder}{name}')
        except KeyError:
            raise ValueError(f'it has no file {name}') from None


def _collect_tensors(
    root: object, classes: dict[str, set[str]]
) -> dict[str, torch.Tensor]:
    """Return the parameters and buffers of a module and its children."""
    state: dict[str, torch.Tensor] = {}
    waiting = [('', root)]
    visits = 0
    while waiting:
        prefix, node = waiting.pop()
        if not isinstance(node, Stored) or node.name.text not in classes:
            continue
        # A module may contain itself, or few modules one another many times.
        visits += 1
        if visits > _MAX_MODULES or len(prefix) > _MAX_NAME:
            raise ValueError('its modules are nested too deeply')
        if not isinstance(node.state, dict):
            raise ValueError(
                f'its module {prefix.rstrip(".")!r} stores its state by code '
                f'of its own (__getstate__), which is not run'
            )
        tensors = classes[node.name.text]
        for name, value in node.state.items():
            if name in tensors and isinstance(value, Call):
                state[f'{prefix}{name}'] = _build_tensor(value)
        # The last one in is the first one out.
        for name, value in reversed(node.state.items()):
            waiting.append((f'{prefix}{name}.', value))
    return state


def _build_tensor(call: Call) -> torch.Tensor:
    if call.name != Name(_REBUILD):
        raise ValueError(f'a tensor is stored by {call.name.text}')
    flat, offset, size, stride, *_ = call.arguments
    # torch checks that the view lies inside of the storage.
    return torch.as_strided(flat, size, stride, offset)
