"""From a folder of photos to a report: TACKLE in one command.

PHOTOS is a folder with a folder per class, or with train/, val/ and test/ of
class folders, or with train.txt, val.txt and test.txt (path label), or such
lists. Missing splits are drawn. CLIP is measured on val first; then web images
are embedded and retrieved, the retrieval is checked, and a student is trained
without and with them for equal iterations, tested, and mixed with CLIP. The
run ends with a verdict and OUT/report.html.

Every stage is an ordinary command, which is printed; its config is in
OUT/configs. Killed? Run the same command again: it resumes, and a stage is
redone only if its inputs have changed, such as OUT/lists/class_names.txt.
"""

import argparse

from ltvl_mm.utils.command_line import (
    add_recipe,
    make_parser,
    run_command,
)

METHODS = ('student', 'tackle', 'ballad', 'zero_shot')


def build_parser() -> argparse.ArgumentParser:
    parser = make_parser(__doc__)
    parser.add_argument(
        'photos',
        nargs='+',
        metavar='PHOTOS',
        help='folder of class folders or splits, or path label lists',
    )
    parser.add_argument(
        '--web',
        nargs='+',
        default=[],
        metavar='STORE_OR_TARS',
        help='embedding stores, or tars, parquet files and folders of web '
        'images, which are embedded (default: none; tackle needs one)',
    )
    parser.add_argument(
        '-o', '--out', required=True, help='output folder; resumes in it'
    )
    parser.add_argument(
        '--dry-run',
        action='store_true',
        help='print the plan with time, disk and downloads; write nothing',
    )
    add_data(parser.add_argument_group('photos'))
    add_retrieval(parser.add_argument_group('CLIP and retrieval'))
    add_training(parser.add_argument_group('training'))
    return parser


def add_data(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        '--root', help="folder of the paths in lists (default: the lists' own)"
    )
    group.add_argument(
        '--class-names',
        help='file with one name per line, in label order (default: '
        'class_names.txt beside the lists, else the names of the folders)',
    )
    group.add_argument(
        '--seed',
        type=int,
        default=0,
        help='seed of splits and trainings (default: %(default)s)',
    )


def add_retrieval(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        '--clip',
        default='ViT-B-16-quickgelu:openai',
        metavar='ARCH:TAG_OR_FILE',
        help='open_clip architecture and weights; also local-dir:FOLDER and '
        'hf-hub:NAME (default: %(default)s, a download)',
    )
    group.add_argument(
        '--preprocess',
        metavar='TAG_OR_JSON',
        help='as tools/embed_images.py takes it, for a local file (default: '
        "the weights' own)",
    )
    group.add_argument(
        '--templates',
        default='openai_80',
        help='prompts: single, openai_80, or a file of sentences with {} '
        '(default: %(default)s)',
    )
    group.add_argument(
        '--budget',
        default='balance_to:300',
        help='web images per class: a number; balance_to:N, which tops every '
        'class up to N images; auto, which stops where the expected precision '
        'falls; or a .json (default: %(default)s)',
    )
    group.add_argument(
        '--min-probability',
        type=float,
        default=0.5,
        metavar='P',
        help='leave out web images of a lower probability, in [0, 1) '
        '(default: %(default)s)',
    )
    group.add_argument(
        '--min-precision',
        type=float,
        metavar='P',
        help='with --budget auto, minimum mean probability of the images of a '
        'class, in [0, 1) (default: 0.8)',
    )
    group.add_argument(
        '--temperature',
        type=lambda word: word if word == 'auto' else float(word),
        metavar='NUMBER|auto',
        help='of the softmax over classes; auto: fitted to val (default: auto '
        "with background names and at least 50 val images, else CLIP's own)",
    )
    group.add_argument(
        '--background',
        default='auto',
        metavar='builtin|none|FILE',
        help='names that compete in the softmax over classes and get no '
        'images, as tools/retrieve.py takes them (default: builtin for fewer '
        'than 64 classes)',
    )
    group.add_argument(
        '--stop-on-warning',
        action='store_true',
        help='stop before training if the retrieval is unlikely to help',
    )


def add_training(group: argparse._ArgumentGroup) -> None:
    add_recipe(group, default='auto', shown='auto')
    group.add_argument(
        '--methods',
        nargs='+',
        choices=METHODS,
        default=['student', 'tackle', 'zero_shot'],
        help='what is trained and tested (default: student tackle zero_shot)',
    )
    group.add_argument(
        '--student',
        default='resnet50',
        metavar='NAME_OR_CONFIG',
        help='mmpretrain model (resnet50, deit-small, convnext-tiny, ...), or '
        'a config, whose model and optimizer are taken (default: %(default)s)',
    )
    group.add_argument(
        '--pretrained-student',
        nargs='?',
        const=True,
        default=False,
        metavar='FILE',
        help="start from mmpretrain's weights for ImageNet (a download), or "
        'from a file (default: random weights)',
    )
    group.add_argument(
        '--image-size',
        type=int,
        help='pixels (default: as large as the photos, 32 to 224)',
    )
    length = group.add_mutually_exclusive_group()
    length.add_argument(
        '--epochs',
        type=int,
        help='epochs of the photos (default: 90 to 200, more for fewer '
        'photos; a fifth of that for pretrained students)',
    )
    length.add_argument(
        '--iterations',
        type=int,
        help='iterations instead of epochs (default: by --epochs)',
    )
    group.add_argument(
        '--batch-size',
        type=int,
        help='images of an iteration, of all GPUs together (default: 64 below '
        '10,000 photos, else 256)',
    )
    group.add_argument(
        '--device',
        choices=('cpu', 'cuda'),
        help='where CLIP and students run (default: a GPU if there is one)',
    )
    group.add_argument(
        '--gpus',
        type=int,
        default=1,
        help='processes that train and embed (default: %(default)s)',
    )


def main() -> None:
    settings = vars(build_parser().parse_args())
    settings['methods'] = tuple(settings['methods'])
    from ltvl_mm import RunOptions, run_tackle

    photos, out, web, dry_run = map(
        settings.pop, ('photos', 'out', 'web', 'dry_run')
    )
    found = run_tackle(
        photos,
        out=out,
        web=web,
        options=RunOptions(**settings),
        dry_run=dry_run,
    )
    if dry_run:
        print(found['plan'])


if __name__ == '__main__':
    run_command(main)
