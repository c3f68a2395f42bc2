"""Errors of command-line tools: one sentence, or a traceback."""

import dis
import sys
from collections.abc import Callable
from pathlib import Path

_PACKAGE = str(Path(__file__).parents[1])
_RAISE = dis.opmap['RAISE_VARARGS']


def run_command(main: Callable[[], object]) -> None:
    """Run the main function of a tool, and print its errors for users.

    An error that our code raises on purpose is printed as one sentence, and
    the exit status is 1. Other errors are bugs and keep their traceback.
    ``--debug`` among the arguments keeps all tracebacks.

    Args:
        main: Function without arguments that parses ``sys.argv``.
    """
    debug = '--debug' in sys.argv[1:]
    # Not an argument of the parsers, and no part of recorded commands.
    sys.argv[1:] = [word for word in sys.argv[1:] if word != '--debug']
    try:
        main()
    except (ValueError, OSError, ImportError) as error:
        folders = (_PACKAGE, str(Path(main.__code__.co_filename).parent))
        if debug or not _is_for_users(error, folders):
            raise
        sys.exit(_escape(_describe(error)))


def _describe(error: Exception) -> str:
    if not isinstance(error, OSError) or error.strerror is None:
        return str(error)
    if error.filename is None:
        return error.strerror
    return f'{error.filename}: {error.strerror}'


def _escape(text: str) -> str:
    """Escape characters that would act on the terminal of the user.

    Names in files of strangers may hold them.
    """
    return ''.join(
        char
        if char.isprintable() or char == '\n'
        else char.encode('unicode_escape').decode()
        for char in text
    )


def _is_for_users(error: Exception, folders: tuple[str, ...]) -> bool:
    """Return True if a raise statement in our code made an error.

    mmengine's registries raise an error again, with the class in front.
    Errors of the operating system that name a file are for users as well.
    """
    if isinstance(error, OSError) and error.filename is not None:
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
