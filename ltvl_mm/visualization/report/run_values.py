"""Find values that a report needs in the config of a finished run."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from ltvl_mm.utils.run_config import (
    CONFIG_FILE,
    read_config_text,
    read_config_values,
)
from ltvl_mm.visualization.report.part_reader import PartReader

# More classes than any data set has; a page of them would not open.
MAX_CLASSES = 200_000


@dataclass(frozen=True)
class RunConfig:
    """Config of a finished run: its text, and its values as plain data.

    Attributes:
        text: For display; '' if there is no config.
        values: Variables; {} if they could not be read.
        file: The file of the values; None if they could not be read.
    """

    text: str = ''
    values: Mapping[str, Any] = field(default_factory=dict)
    file: Path | None = None

    @property
    def seed(self) -> int | None:
        """Seed of the run, if the config fixes one."""
        randomness = self.values.get('randomness')
        if not isinstance(randomness, Mapping):
            return None
        seed = randomness.get('seed')
        return seed if type(seed) is int and abs(seed) < 2**63 else None

    @property
    def manifest(self) -> str | None:
        """Path of the manifest of the training images, if any."""
        dataset = self.values.get('train_dataloader')
        while isinstance(dataset, Mapping):
            if 'manifest' in dataset:
                return _check_path('manifest', dataset['manifest'])
            dataset = dataset.get('dataset')
        return None

    def find_counts(self) -> tuple[str | list, int]:
        """Return ``class_counts`` and ``num_classes`` of ShotAccuracy.

        Raises:
            ValueError: If the config has none; says what to do.
        """
        several = self.values.get('test_evaluator')
        for one in (
            [several] if isinstance(several, Mapping) else several or ()
        ):
            if not isinstance(one, Mapping) or not one.get('class_counts'):
                continue
            counts, classes = one['class_counts'], one.get('num_classes')
            if type(classes) is not int or not 0 < classes <= MAX_CLASSES:
                raise ValueError(
                    f'num_classes of ShotAccuracy must be in [1, '
                    f'{MAX_CLASSES}], got {classes!r:.60}; give --class-counts'
                )
            if not isinstance(counts, (list, tuple)):
                counts = _check_path('class_counts', counts)
            return counts, classes
        raise ValueError(
            'no config names the training list (class_counts of '
            'ShotAccuracy); give --class-counts'
        )

    def list_places(self, commands: list[dict]) -> list[Callable[[str], Path]]:
        """Return where a file that the config names may be, best first.

        Where it says; below the folders that commands were typed in; beside
        the run, as it was beside the run before both were moved.
        """
        places: list[Callable[[str], Path]] = [Path]
        places += [Path(entry['folder']).joinpath for entry in commands]
        file, work_dir = self.file, self.values.get('work_dir')
        if file is not None and isinstance(work_dir, str):
            places.append(
                lambda name: file.parent / os.path.relpath(name, work_dir)
            )
        return places


def read_run_config(path: Path, reader: PartReader) -> RunConfig:
    """Read the config of a run folder as text and as data.

    ``config.json`` comes from tools/train.py and tools/test.py; mmengine's
    ``.py`` dump is parsed where there is no such file, never executed.

    Args:
        path: The run folder.
        reader: Gets the reasons for what cannot be read.
    """
    files = [
        file
        for folder in (path, path / 'test')
        for file in (folder / CONFIG_FILE, *sorted(folder.glob('*.py')))
        if os.path.lexists(file)
    ]
    if not files:
        reader.add(
            'config',
            f'{path} holds no config; mmengine writes one when it trains, and '
            f'tools/train.py and tools/test.py write {CONFIG_FILE}',
        )
    found = RunConfig()
    shown = None
    for file in files:
        text = reader.read(
            'config', partial(read_config_text, file, path), None
        )
        if text is None:
            continue
        # People read the .py more easily.
        if shown is None or file.suffix == '.py' != shown.suffix:
            found, shown = replace(found, text=text), file
        if found.file is None:
            values = reader.read(
                'config', partial(read_config_values, file, text), None
            )
            if values is not None:
                found = replace(found, values=values, file=file)
        if found.file is not None and shown.suffix == '.py':
            break
    return found


def resolve(file: str, places: list[Callable[[str], Path]]) -> Path:
    """Return the first place where a file is; else where it should be."""
    return next(
        (place(file) for place in places if place(file).exists()), Path(file)
    )


def _check_path(name: str, value: Any) -> str:  # noqa: ANN401
    if not isinstance(value, str) or '\0' in value or not value:
        raise ValueError(
            f'{name} in the config must be the path of a file, got '
            f'{value!r:.80}'
        )
    return value
