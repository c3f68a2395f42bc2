"""The page to try models and web images on."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec

import numpy as np
from comparison import ModelComparison
from html_tables import render_answers, render_found
from memory_search import MemorySearch

from ltvl_mm.apis import LongTailInferencer
from ltvl_mm.structures.class_names import load_class_names
from ltvl_mm.utils.image_decoding import decode_image
from ltvl_mm.utils.regular_files import read_regular
from ltvl_mm.utils.text import split_lines as split_at_line_ends

if TYPE_CHECKING:
    import gradio

_P = ParamSpec('_P')


def load_comparison(args: argparse.Namespace) -> ModelComparison | None:
    """Return the models that the arguments name, if any."""
    models = {
        name: LongTailInferencer(config, *weights, device=args.device)
        for name, config, *weights in args.model
    }
    return ModelComparison(models) if models else None


def load_search(args: argparse.Namespace) -> MemorySearch | None:
    """Return the store that the arguments name, if any."""
    if args.store is None:
        return None
    return MemorySearch(
        args.store,
        args.pretrained,
        among=load_class_names(args.class_names) if args.class_names else (),
        temperature=args.temperature,
        device=args.device or 'cpu',
    )


def compare(
    comparison: ModelComparison,
    files: Sequence[str] | None,
    text: str,
) -> str:
    """Return the HTML of what the models say of some files.

    Args:
        comparison: The models.
        files: Files of images.
        text: Class names, one on each line; none for each model's own.

    Raises:
        ValueError: If there is no file, one cannot be read (names it), or a
            name is too long.
    """
    if not files:
        raise ValueError('drop an image first')
    answers = {}
    for file in map(Path, files):
        try:
            image = decode_image(read_regular(file))
        except ValueError as error:
            raise ValueError(f'{file.name}: {error}') from None
        said = comparison.compare(np.asarray(image), split_lines(text))
        answers[_name_anew(file.name, answers)] = image, said
    return render_answers(answers)


def search(memory: MemorySearch, text: str, count: float = 12) -> str:
    """Return the HTML of the images of a store for some classes.

    Args:
        memory: The store.
        text: Class names, one on each line.
        count: Images of a class.

    Raises:
        ValueError: If there is no name, or one is too long or named twice.
    """
    return render_found(memory.search(split_lines(text), count=int(count)))


def split_lines(text: str) -> list[str]:
    """Return what stands on the lines, each once."""
    lines = (line.strip() for line in split_at_line_ends(text))
    return list(dict.fromkeys(line for line in lines if line))


def build_page(
    comparison: ModelComparison | None,
    memory: MemorySearch | None,
) -> 'gradio.Blocks':
    """Return the page, with a tab for each that is not None.

    Raises:
        ImportError: If gradio is not installed.
    """
    try:
        import gradio as gr
    except ImportError as error:
        raise ImportError(
            "the page needs gradio: pip install -e '.[demo]'"
        ) from error

    def report(
        work: Callable[_P, str], *args: _P.args, **kwargs: _P.kwargs
    ) -> str:
        try:
            return work(*args, **kwargs)
        except ValueError as error:
            raise gr.Error(str(error)) from None

    with gr.Blocks(title='ltvl_mm', analytics_enabled=False) as page:
        if comparison is not None:
            with gr.Tab('Compare models'):
                files = gr.File(
                    label='Images',
                    file_count='multiple',
                    file_types=['image'],
                    type='filepath',
                )
                names = gr.Textbox(
                    label="Classes, one per line; none: each model's own",
                    lines=4,
                )
                said = gr.HTML(label='What the models say')
                gr.Button('Compare', variant='primary').click(
                    lambda files, text: report(
                        compare, comparison, files, text
                    ),
                    [files, names],
                    said,
                    api_name='compare',
                )
        if memory is not None:
            with gr.Tab('Search the web images'):
                gr.Markdown(f'{len(memory.store):,} images')
                classes = gr.Textbox(
                    label='Classes, one per line', lines=3, max_lines=10
                )
                count = gr.Slider(
                    1, 60, value=12, step=1, label='Images of a class'
                )
                found = gr.HTML(label='Found')
                gr.Button('Search', variant='primary').click(
                    lambda text, count: report(search, memory, text, count),
                    [classes, count],
                    found,
                    api_name='search',
                )
    return page


def _name_anew(name: str, taken: dict) -> str:
    """Return the name, numbered if another file has it."""
    same = sum(other.partition(' #')[0] == name for other in taken)
    return f'{name} #{same + 1}' if same else name
