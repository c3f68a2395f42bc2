"""Arguments and errors of command-line tools."""

import argparse
import difflib
import dis
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from ltvl_mm.utils.process_group import leave_process_group
from ltvl_mm.utils.remote_errors import RemoteError
from ltvl_mm.utils.text import escape_controls

_PACKAGE = str(Path(__file__).parents[1])
_RAISE = dis.opmap['RAISE_VARARGS']


def make_parser(text: str | None) -> argparse.ArgumentParser:
    """Return a parser whose help shows every default.

    Args:
        text: Description, usually the docstring of the tool.
    """
    parser = _Parser(description=text, formatter_class=_Formatter)
    # run_command() takes it out before arguments are parsed.
    parser.add_argument(
        '--debug',
        action='store_true',
        default=argparse.SUPPRESS,
        help='print the traceback of an error',
    )
    return parser


class ConfigOptions(argparse.Action):
    """``--cfg-options KEY=VALUE ...``, as mmengine's ``DictAction`` reads it.

    mmengine is imported when the option is used.
    """

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[object] | None,
        option_string: str | None = None,
    ) -> None:
        """Read the values into a dict of the namespace."""
        from mmengine.config import DictAction

        for word in values or ():
            if '=' not in str(word):
                parser.error(
                    f'{option_string}: expected KEY=VALUE, got {word}'
                )
        read = DictAction(self.option_strings, self.dest)
        read(parser, namespace, values, option_string)


def add_config_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--cfg-options``, mmpretrain's way to override a config."""
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=ConfigOptions,
        metavar='KEY=VALUE',
        help='entries of the config to override, e.g. randomness.seed=1 '
        '(default: none)',
    )


def add_launcher(parser: argparse.ArgumentParser) -> None:
    """Add ``--launcher`` and ``--local-rank``, as mmpretrain's tools."""
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='how the processes of a distributed run were started',
    )
    # torch.distributed.launch passes --local-rank.
    parser.add_argument(
        '--local_rank',
        '--local-rank',
        type=int,
        default=0,
        help='set by torch.distributed.launch',
    )


def add_study_options(parser: argparse.ArgumentParser, work_dir: str) -> None:
    """Add ``--work-dir`` and ``--seeds`` of a study.

    Args:
        parser: Parser of the study's command.
        work_dir: Default folder of the results.
    """
    parser.add_argument(
        '--work-dir', default=work_dir, help='folder of the results'
    )
    parser.add_argument(
        '--seeds',
        type=int,
        nargs='+',
        default=[0, 1, 2],
        help='seeds to run, one after the other',
    )


def add_jobs(parser: argparse.ArgumentParser) -> None:
    """Add ``--jobs``, the stages of a study that run side by side."""
    parser.add_argument(
        '--jobs',
        type=int,
        default=os.cpu_count() or 1,
        metavar='N',
        help='stages that run at the same time; with several, each computes '
        'with one thread (default: one per processor core)',
    )


def add_retrieved(parser: argparse.ArgumentParser) -> None:
    """Add ``--retrieved``, images to train on, and ``--recipe``, how."""
    parser.add_argument(
        '--retrieved',
        metavar='MANIFEST',
        help='manifest of tools/retrieve.py, whose images are added to the '
        'training set (default: none)',
    )
    add_recipe(parser, default=None, shown='auto with --retrieved')


def add_recipe(
    parser: argparse.ArgumentParser | argparse._ArgumentGroup,
    *,
    default: str | None,
    shown: str,
) -> None:
    """Add ``--recipe``, how to train on retrieved images.

    Args:
        parser: Parser or group of options.
        default: Default value.
        shown: Default value as the help shows it.
    """
    parser.add_argument(
        '--recipe',
        default=default,
        metavar='NAME',
        help='how to train on retrieved images: auto, plain, filtered[:P], '
        'weighted, counts, soft_labels, share[:S], target_stage[:S], or '
        f'several joined by + (default: {shown})',
    )


def add_device(parser: argparse.ArgumentParser) -> None:
    """Add ``--device``; None stands for :func:`choose_device`."""
    parser.add_argument(
        '--device', help='device of torch (default: a GPU if there is one)'
    )


def choose_device(device: str | None) -> str:
    """Return a device, by default a GPU if there is one."""
    import torch

    return device or ('cuda' if torch.cuda.is_available() else 'cpu')


def run_command(main: Callable[[], object]) -> None:
    """Run the main function of a tool, and print its errors for users.

    An error that our code raises on purpose is printed as one sentence, and
    the exit status is 1. Other errors are bugs and keep their traceback.
    In errors and log lines, characters that would act on the terminal of the
    user are escaped: names in files of strangers may hold them.
    ``--debug`` among the arguments keeps all tracebacks. A rank of a process
    group does not return: its process ends with status 0.

    Args:
        main: Function without arguments that parses ``sys.argv``.
    """
    debug = '--debug' in sys.argv[1:]
    # Not an argument of the parsers, and no part of recorded commands.
    sys.argv[1:] = [word for word in sys.argv[1:] if word != '--debug']
    try:
        with _escaped_logs():
            main()
            leave_process_group()
    except (ValueError, RuntimeError, OSError, ImportError) as error:
        folders = (_PACKAGE, str(Path(main.__code__.co_filename).parent))
        if debug or not _is_for_users(error, folders):
            raise
        sys.exit(escape_controls(_describe(error)))


class _Parser(argparse.ArgumentParser):
    """Parser whose errors name the option that was meant, and ``--help``."""

    def error(self, message: str) -> NoReturn:
        """Print usage and message; exit with status 2."""
        words = message.partition('unrecognized arguments: ')[2].split()
        hints = [
            f'did you mean {close[0]}?'
            for word in words
            if word.startswith('-')
            and (
                close := difflib.get_close_matches(
                    word.partition('=')[0], self._option_string_actions, n=1
                )
            )
        ]
        hints.append(f'{self.prog} --help lists all arguments')
        super().error('; '.join([message, *hints]))


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Formatter that adds the defaults that a help text does not name."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        text = action.help
        default = action.default
        named = not text or 'default' in text
        hidden = default is None or default is False or default == []
        if named or hidden or default is argparse.SUPPRESS:
            return text
        return f'{text} (default: {_describe_default(default)})'


def _describe_default(default: object) -> str:
    if not isinstance(default, (list, tuple)):
        return str(default).replace('%', '%%')
    words = [str(value) for value in default]
    if len(words) > 8:
        words = [*words[:2], '...', words[-1]]
    return ' '.join(words)


def _describe(error: Exception) -> str:
    if not isinstance(error, OSError) or error.strerror is None:
        return str(error)
    if error.filename is None:
        return error.strerror
    return f'{error.filename}: {error.strerror}'


@contextmanager
def _escaped_logs() -> Iterator[None]:
    """Escape the messages of all loggers; names in tars may be in them."""
    make = logging.getLogRecordFactory()

    def make_escaped(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make(*args, **kwargs)
        # Messages with arguments are of other packages.
        if isinstance(record.msg, str) and not record.args:
            record.msg = escape_controls(record.msg)
        return record

    logging.setLogRecordFactory(make_escaped)
    try:
        yield
    finally:
        logging.setLogRecordFactory(make)


def _is_for_users(error: Exception, folders: tuple[str, ...]) -> bool:
    """Return True if a raise statement in our code made an error.

    mmengine's registries raise an error again, with the class in front.
    Errors of the operating system that name a file are for users as well.
    """
    if isinstance(error, OSError) and error.filename is not None:
        return True
    # torch raises those of data-loader workers again.
    if isinstance(error, RemoteError):
        return True
    cause: BaseException | None = error
    while cause is not None:
        trace = cause.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        if trace is not None:
            code = trace.tb_frame.f_code
            if (
                code.co_filename.startswith(folders)
                and code.co_code[trace.tb_lasti] == _RAISE
            ):
                return True
        cause = cause.__cause__ or cause.__context__
    return False
