"""The stages of a run, from photos and web images to a report."""

from collections.abc import Callable, Sequence
from pathlib import Path

from ltvl_mm.apis.tackle_run.stage_builder import StageBuilder
from ltvl_mm.retrieval.budget import AUTO
from ltvl_mm.utils.stage_runner import ResumableStage

# Student -> folder of its ensemble with CLIP.
ENSEMBLES = {'tackle': 'ensemble', 'student': 'ensemble_student'}


class StageList(StageBuilder):
    """Lists the stages of a run."""

    def build(
        self,
        show_zero_shot: Callable[[], str],
        show_quality: Callable[[], str],
    ) -> list[ResumableStage]:
        """Return all stages, each after those that it needs.

        Args:
            show_zero_shot: Function that returns the text to print after CLIP
                is tested on val.
            show_quality: Function that returns the text to print after the
                retrieval check.
        """
        methods = self.settings.methods
        stages = [self.predict('zero_shot', 'val', show=show_zero_shot)]
        if 'tackle' in methods:
            stages += self.retrieve(show_quality)
        stages.append(self.predict('zero_shot', 'test'))
        if 'student' in methods:
            stages += [self.train('student'), self.predict('student', 'test')]
        if 'tackle' in methods:
            stages += [
                self.train(
                    'tackle',
                    needs=('retrieve',),
                    inputs=('student.py',),
                    recipe=self.settings.recipe,
                ),
                self.predict('tackle', 'val'),
                self.predict('tackle', 'test'),
                self.mix('tackle'),
            ]
            if 'student' in methods:
                # What the ensemble gains without retrieved images.
                stages += [self.predict('student', 'val'), self.mix('student')]
        if 'ballad' in methods:
            stages += [
                self.train('ballad_a', names=True),
                self.train('ballad_b', names=True, needs=('train ballad_a',)),
                self.predict('ballad_b', 'test'),
            ]
        return [*stages, self.report(stages)]

    def retrieve(self, show: Callable[[], str]) -> list[ResumableStage]:
        """Return the stages from web images to a checked retrieval."""
        settings, out = self.settings, self.settings.out
        stores = [*self.stores]
        held_out = out / 'stores/held_out'
        stages = [
            self.embed(
                'embed val and test images',
                [settings.lists / 'val.txt', settings.lists / 'test.txt'],
                held_out,
                '--root',
                self.root,
                inputs=self.lists('val', 'test'),
            )
        ]
        if self.web_inputs:
            stores.append(out / 'stores/web')
            stages.append(
                self.embed(
                    'embed web images',
                    self.web_inputs,
                    stores[-1],
                    settings=self.web_listing,
                )
            )
        folder, quality = out / 'retrieved', out / 'retrieved/quality.json'
        needed = tuple(stage.name for stage in stages)
        given = tuple(store / 'store.json' for store in self.stores)
        val = settings.lists / 'val.txt'
        counts = f'--class-counts={settings.lists / "train.txt"}'
        return [
            *stages,
            ResumableStage(
                'retrieve',
                self.command(
                    'retrieve.py',
                    *(*stores, '-o', folder),
                    f'--class-names={settings.lists / "class_names.txt"}',
                    f'--budget={settings.budget}',
                    counts,
                    *('--exclude', held_out),
                    *(f'--templates={settings.templates}', *self._choices()),
                    *self.clip_words(),
                ),
                inputs=(
                    *self.lists('val', 'train', names=True),
                    *self.clip_files(),
                    *given,
                    *_list_file(settings.templates),
                    *_list_file(settings.background),
                ),
                needs=needed,
                outputs=(folder / 'manifest.parquet',),
                owns=(folder,),
            ),
            ResumableStage(
                'check retrieval',
                self.command(
                    'analysis_tools/check_retrieval.py',
                    *(folder, '--store', *stores),
                    *('--val-store', held_out, '--val-list', val, counts),
                ),
                inputs=self.lists('val', 'train'),
                needs=('retrieve',),
                outputs=(quality,),
                owns=(quality,),
                show=show,
            ),
        ]

    def _choices(self) -> list[str]:
        """Return the options that decide which images are retrieved."""
        settings = self.settings
        options = []
        if settings.temperature is not None:
            options.append(f'--temperature={settings.temperature}')
        # retrieve.py decides whether it fits the temperature to them.
        if settings.temperature in (None, AUTO) or settings.budget == AUTO:
            options += [
                '--val',
                str(settings.out / 'stores/held_out'),
                str(settings.lists / 'val.txt'),
            ]
        if settings.min_probability:
            options.append(f'--min-probability={settings.min_probability}')
        if settings.min_precision is not None:
            options.append(f'--min-precision={settings.min_precision}')
        if settings.background != 'auto':
            options.append(f'--background={settings.background}')
        if settings.uses_cuda:
            options.append('--device=cuda')
        return options

    def mix(self, run: str) -> ResumableStage:
        """Return the stage that mixes a student with CLIP.

        Args:
            run: ``'tackle'``, or ``'student'`` for the student that is
                trained without retrieved images.
        """
        runs = [self.run_folder(one) for one in (run, 'zero_shot')]
        out = self.run_folder(ENSEMBLES[run])
        return ResumableStage(
            'tune ensemble'
            if run == 'tackle'
            else 'tune ensemble without retrieved images',
            self.command(
                'analysis_tools/tune_ensemble.py',
                *('--val', *(run / 'val.npz' for run in runs)),
                *('--test', *(run / 'test.npz' for run in runs)),
                f'--class-counts={self.settings.lists / "train.txt"}',
                *('--names', 'student', 'CLIP', '-o', out),
            ),
            inputs=self.lists('train'),
            needs=(
                *(f'test {run} on {split}' for split in ('val', 'test')),
                *(f'zero-shot CLIP on {split}' for split in ('val', 'test')),
            ),
            outputs=(out / 'ensemble.json',),
            owns=(out,),
        )

    def report(self, stages: Sequence[ResumableStage]) -> ResumableStage:
        """Return the stage that makes one page of all runs."""
        named = self.name_runs()
        out = self.settings.out / 'report.html'
        return ResumableStage(
            'report',
            self.command(
                'report.py',
                *(f'{title}={self.run_folder(run)}' for run, title in named),
                f'--title={self.root.name}',
                f'--train-images={self.root}',
                *(
                    [f'--baseline={dict(named)["student"]}']
                    if 'student' in dict(named)
                    else []
                ),
                *('-o', out),
            ),
            needs=tuple(stage.name for stage in stages),
            outputs=(out,),
            owns=(out,),
        )

    def name_runs(self) -> list[tuple[str, str]]:
        """Return (folder, title) of each run of the report."""
        titles = {
            'student': self.title,
            'tackle': f'{self.title} + retrieved',
            'ensemble_student': f'{self.title} + CLIP',
            'ensemble': f'{self.title} + retrieved + CLIP',
            'zero_shot': 'CLIP zero-shot',
            'ballad_b': 'BALLAD',
        }
        methods = self.settings.methods
        shown = {
            'student': 'student' in methods,
            'tackle': 'tackle' in methods,
            'ensemble_student': {'student', 'tackle'} <= set(methods),
            'ensemble': 'tackle' in methods,
            'zero_shot': True,
            'ballad_b': 'ballad' in methods,
        }
        return [(run, titles[run]) for run in titles if shown[run]]


def _list_file(text: str) -> tuple[Path, ...]:
    return (Path(text),) if Path(text).is_file() else ()
