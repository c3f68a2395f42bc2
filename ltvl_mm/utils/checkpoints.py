"""Read checkpoints as data: nothing in a file is ever run.

All code of the project that reads weights or checkpoints goes through
:func:`read_checkpoint`.
"""

import pickle
import re
import zipfile
from pathlib import Path
from typing import Any

import torch

from ltvl_mm.utils.inert_types import only_inert_types, to_plain
from ltvl_mm.utils.io import atomic_write
from ltvl_mm.utils.npz_check import check_expansion
from ltvl_mm.utils.regular_files import open_regular
from ltvl_mm.utils.torchscript import is_torchscript, read_torchscript

CONVERTER = 'tools/model_converters/convert_checkpoint.py'


def find_checkpoint(path: str | Path, *, prefer_best: bool = True) -> str:
    """Return a checkpoint file, or select one of a training folder.

    Args:
        path: A file or address, returned unchanged; or a training folder.
        prefer_best: Select the best checkpoint of a folder
            (``CheckpointHook(save_best=...)``) if it has one. False selects
            the last, from which a training resumes.

    Raises:
        ValueError: If a folder holds none, or several best ones.
    """
    folder = Path(path)
    if not folder.is_dir():
        return str(path)
    best = sorted(folder.glob('best_*.pth')) if prefer_best else []
    if len(best) > 1:
        raise ValueError(
            f'{folder} holds several best checkpoints, name one: '
            f'{", ".join(file.name for file in best)}'
        )
    if best:
        return str(best[0])
    last = folder / 'last_checkpoint'
    if not last.exists():
        raise ValueError(f'{folder} holds no checkpoint; train first')
    # Only the name: the folder may have been moved since.
    return str(folder / Path(last.read_text().strip()).name)


def read_checkpoint(
    path: str | Path,
    *,
    map_location: Any = 'cpu',  # noqa: ANN401
) -> dict[str, Any]:
    """Read a checkpoint, without running anything that is in the file.

    Reads files of ``torch.save`` (with the log histories and NumPy numbers
    of mmengine), ``.safetensors``, and the weights of TorchScript archives.

    Args:
        path: A file, or a training folder (see :func:`find_checkpoint`).
        map_location: Device of the tensors, as for ``torch.load``.

    Raises:
        ValueError: If there is no such file, it is broken, or it holds
            anything but tensors and plain data.
    """
    file = Path(find_checkpoint(path)).expanduser()
    if not file.is_file():
        raise ValueError(
            f'the checkpoint {file} does not exist; train it first, or give '
            f'the path of a file'
        )
    try:
        content = _read(file, map_location)
    except pickle.UnpicklingError as error:
        raise ValueError(_explain_refusal(file, str(error))) from None
    # What torch raises for a broken file depends on where it is broken.
    except Exception as error:
        raise ValueError(
            f'{file} holds no weights that can be read: {error!s:.300}'
        ) from error
    if not isinstance(content, dict):
        raise ValueError(
            f'{file} holds a {type(content).__name__} instead of a '
            f'dictionary of weights'
        )
    return content


def read_weights(path: str | Path) -> dict[str, torch.Tensor]:
    """Return the state dict of a checkpoint, or of a training folder's.

    Raises:
        ValueError: If there is none, or it is empty; see also
            :func:`read_checkpoint`.
    """
    content = read_checkpoint(path)
    state = content.get('state_dict', content)
    if not isinstance(state, dict) or not any(
        isinstance(value, torch.Tensor) for value in state.values()
    ):
        raise ValueError(f'{path} holds no weights: its state dict is empty')
    return state


def write_state(path: str | Path, state: dict[str, torch.Tensor]) -> None:
    """Write a state dict, atomically.

    Args:
        path: ``.safetensors`` for that format, else as ``torch.save``.
        state: Names -> tensors.
    """
    with atomic_write(path) as file:
        if Path(path).suffix != '.safetensors':
            torch.save(state, file)
            return
        from safetensors.torch import save

        # safetensors refuses tensors that share memory or are transposed.
        copies = {
            name: tensor.clone(memory_format=torch.contiguous_format)
            for name, tensor in state.items()
        }
        file.write(save(copies))


def _read(file: Path, map_location: Any) -> Any:  # noqa: ANN401
    if file.suffix == '.safetensors':
        return _read_safetensors(file, map_location)
    if is_torchscript(file):
        state = read_torchscript(file)
        device = 'cpu' if map_location is None else map_location
        return {name: tensor.to(device) for name, tensor in state.items()}
    if zipfile.is_zipfile(file):
        _check_torch_archive(file)
    else:
        _refuse_tar(file)
    with only_inert_types():
        content = torch.load(
            file, map_location=map_location, weights_only=True
        )
    _check_tensors(content, file.stat().st_size)
    return to_plain(content)


def _check_tensors(content: Any, size: int) -> None:  # noqa: ANN401
    """Refuse state dicts of tensors that repeat few stored numbers."""
    if not isinstance(content, dict):
        return
    for state in (content, *content.values()):
        values = state.values() if isinstance(state, dict) else ()
        check_expansion(
            size,
            sum(
                value.numel() * value.element_size()
                for value in values
                if isinstance(value, torch.Tensor)
            ),
        )


def _read_safetensors(file: Path, map_location: Any) -> dict:  # noqa: ANN401
    from safetensors.torch import load_file  # comes with open_clip and timm

    return load_file(file, device=str(map_location or 'cpu'))


def _check_torch_archive(file: Path) -> None:
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
        members = archive.infolist()
    # torch itself stores without compression.
    check_expansion(
        file.stat().st_size, sum(member.file_size for member in members)
    )
    if not any(name.endswith('data.pkl') for name in names):
        raise ValueError(
            f'it is a zip file of {", ".join(names[:3])} instead of a file '
            f'of torch.save'
        )


def _refuse_tar(file: Path) -> None:
    with open_regular(file) as handle:
        if handle.read(512)[257:262] == b'ustar':
            raise ValueError(
                'it is a tar file; torch before 0.1.10 stored checkpoints in '
                'tar files, which cannot be read safely'
            )


def _explain_refusal(file: Path, reason: str) -> str:
    found = re.search(r'GLOBAL (\S+)', reason)
    if found is None:
        # Before its own words, torch advises to load without protection.
        own = reason.split('WeightsUnpickler error:')[-1].strip() or 'empty'
        return (
            f'{file} holds no weights that can be read: it is not a '
            f'checkpoint of torch, or is broken '
            f'({own.splitlines()[0]:.200})'
        )
    return (
        f'{file} was not loaded: besides tensors and plain data it holds '
        f'{found[1]:.100}, and such a file can run code. If you trust who '
        f'made it, convert it once where it can do no harm (it is run!): '
        f'python {CONVERTER} {file} OUT.pth --trusted'
    )
