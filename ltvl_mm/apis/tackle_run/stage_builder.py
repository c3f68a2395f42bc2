"""Single stages of a run: ordinary commands, each with its inputs."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ltvl_mm.apis.tackle_run.settings import RunSettings
from ltvl_mm.utils.checkpoints import find_checkpoint
from ltvl_mm.utils.io import hash_content
from ltvl_mm.utils.package_files import find_root
from ltvl_mm.utils.stage_runner import ResumableStage


def find_tools() -> Path:
    """Return the folder of the command-line tools.

    Raises:
        ValueError: If the package was installed without them.
    """
    return find_root() / 'tools'


@dataclass(frozen=True)
class StageBuilder:
    """Builds single stages of a run.

    Args:
        settings: Settings of the run, with absolute paths.
        root: Folder of the photos.
        stores: Stores of web images that exist.
        web_inputs: Inputs that are embedded into one more store.
        web_listing: Names, sizes and times of the files of these inputs.
        title: Name of the student in tables.
        tools: Folder of the tools.
    """

    settings: RunSettings
    root: Path
    stores: tuple[Path, ...]
    web_inputs: tuple[str, ...]
    web_listing: str
    title: str
    tools: Path

    def predict(
        self,
        run: str,
        split: str,
        *,
        show: Callable[[], str] | None = None,
    ) -> ResumableStage:
        """Return the stage that saves what a model says of a split."""
        folder = self.run_folder(run)
        files = [folder / f'{split}.npz']
        out = ['--out', files[0]]
        if split == 'test':
            files.insert(0, folder / 'metrics.json')
            out = ['--out', files[0], '--out-item=metrics']
            out += ['--predictions', files[1]]
        zero_shot = run == 'zero_shot'
        return ResumableStage(
            f'zero-shot CLIP on {split}'
            if zero_shot
            else f'test {run} on {split}',
            self.command(
                'test.py',
                self.config(run),
                *([] if zero_shot else [folder]),
                *([f'--split={split}'] if split == 'val' else []),
                *('--work-dir', folder / 'test', *out),
            ),
            inputs=(
                self.config(run),
                *self.lists(split, 'train', names=True),
                *(self.clip_files() if zero_shot else ()),
            ),
            needs=() if zero_shot else (f'train {run}',),
            outputs=tuple(files),
            owns=tuple(files),
            show=show,
        )

    def embed(
        self,
        name: str,
        inputs_of_tool: Sequence[object],
        store: Path,
        *words: object,
        inputs: tuple[Path, ...] = (),
        settings: str = '',
    ) -> ResumableStage:
        """Return the stage that embeds images into a store."""
        clip = [str(word) for word in self.clip_words()]
        return ResumableStage(
            name,
            self.command(
                'embed_images.py',
                *inputs_of_tool,
                *('-o', store, '--remove-missing', *words, *clip),
                parallel=True,
            ),
            inputs=(*inputs, *self.clip_files()),
            settings=settings,
            outputs=(store / 'store.json',),
            owns=(store,),
            reset=hash_content(
                [clip, [_stamp(file) for file in self.clip_files()]]
            ),
        )

    def train(
        self,
        run: str,
        *,
        names: bool = False,
        inputs: Sequence[str] = (),
        needs: tuple[str, ...] = (),
        recipe: str | None = None,
    ) -> ResumableStage:
        """Return the stage that trains a config of the run."""
        folder, settings = self.run_folder(run), self.settings
        words = ['--work-dir', folder, '--resume']
        if recipe is not None:
            words.append(f'--recipe={recipe}')
        if settings.uses_cuda:
            words.append('--amp')
        configs = [settings.out / 'configs' / name for name in inputs]
        command = self.command('train.py', self.config(run), *words)
        if settings.gpus > 1:
            script = self.tools / 'dist_train.sh'
            start = ('bash', str(script), str(self.config(run)))
            command = (*start, str(settings.gpus), *map(str, words))
        return ResumableStage(
            f'train {run}',
            command,
            inputs=(
                self.config(run),
                *configs,
                *self.lists('train', 'val', names=names),
                *(self.clip_files() if names else ()),
            ),
            needs=needs,
            outputs=(folder / 'last_checkpoint',),
            owns=(folder,),
        )

    def command(
        self, script: str, *words: object, parallel: bool = False
    ) -> tuple[str, ...]:
        """Return the command that runs a tool.

        Args:
            script: Path of the tool in the folder of tools.
            words: Arguments of the tool.
            parallel: True to run a process per GPU.
        """
        start = [sys.executable]
        if parallel and self.settings.gpus > 1:
            start += ['-m', 'torch.distributed.run']
            start.append(f'--nproc-per-node={self.settings.gpus}')
        return (*start, str(self.tools / script), *map(str, words))

    def run_folder(self, run: str) -> Path:
        """Return the folder of a run's checkpoints and predictions."""
        return self.settings.out / 'runs' / run

    def config(self, run: str) -> Path:
        """Return the config of a run."""
        return self.settings.out / 'configs' / f'{run}.py'

    def lists(self, *splits: str, names: bool = False) -> tuple[Path, ...]:
        """Return the list files of splits, and possibly of the names."""
        files = [f'{split}.txt' for split in splits]
        if names:
            files.append('class_names.txt')
        return tuple(self.settings.lists / file for file in files)

    def clip_words(self) -> list[str]:
        """Return the arguments that name CLIP."""
        settings = self.settings
        words = ['--arch', settings.arch]
        if settings.pretrained is not None:
            words += ['--pretrained', settings.pretrained]
        if settings.preprocess is not None:
            words += ['--preprocess', settings.preprocess]
        return words

    def clip_files(self) -> tuple[Path, ...]:
        """Return the local files that CLIP is built from."""
        words = [self.settings.arch, self.settings.pretrained or '']
        return tuple(
            Path(find_checkpoint(word))
            for word in words
            if Path(word).exists()
        )


def _stamp(file: Path) -> list[int]:
    stat = file.stat()
    return [stat.st_size, stat.st_mtime_ns]
