"""Write a drawn world to disk in the formats that real data comes in."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from PIL import Image

from ltvl_mm.datasets.web_tars import encode_jpeg
from ltvl_mm.utils.io import atomic_write, hash_content, read_json, write_json
from ltvl_mm.utils.lock import locks_output
from ltvl_mm.utils.progress import progress_bar
from ltvl_mm.utils.temporaries import explain_write_errors, remove_temporaries

# (file that marks a part as done, function that writes it)
Job = tuple[Path, Callable[[Path], None]]


@locks_output('root')
def write_world(
    root: str | Path,
    jobs: Sequence[Job],
    *,
    settings: Mapping[str, object],
    class_names: Sequence[str],
    title: str,
    workers: int,
) -> None:
    """Write all parts of a world, or those that a killed run left out.

    Args:
        root: Folder of the world.
        jobs: The parts; their functions can be pickled.
        settings: Everything that the bytes depend on, as JSON.
        class_names: Names of the classes, in label order.
        title: Name of the world, for the progress bar and messages.
        workers: Number of processes; does not change the bytes.

    Raises:
        ValueError: If ``root`` holds a world of other settings.
    """
    root = Path(root)
    settings = {**settings, 'fingerprint': hash_content(settings)}
    marker = root / 'world.json'
    if marker.exists() and read_json(marker) != settings:
        raise ValueError(
            f'{root} holds the {title} of other settings ({marker}); choose '
            f'another folder or delete it'
        )
    write_json(marker, settings)
    remove_temporaries(root / 'web')
    with atomic_write(root / 'class_names.txt', 'w') as file:
        file.writelines(f'{name}\n' for name in class_names)
    jobs = [job for job in jobs if not job[0].exists()]
    with (
        ProcessPoolExecutor(workers) as pool,
        progress_bar(total=len(jobs), title=title, unit='part') as bar,
    ):
        for _ in pool.map(_run_job, jobs):
            bar.update()


def write_split(
    path: Path,
    *,
    class_names: Sequence[str],
    counts: Sequence[int],
    draw: Callable[[int, int], Image.Image],
) -> None:
    """Write the images of a split, then its ``path label`` list.

    Args:
        path: The list, such as ``train.txt``; images go to
            ``images/train/<class>/``.
        class_names: Names of the K classes.
        counts: Images of each class.
        draw: (label, number) -> image.
    """
    lines = []
    for label, (name, count) in enumerate(
        zip(class_names, counts, strict=True)
    ):
        folder = Path('images', path.stem, name.replace(' ', '_'))
        (path.parent / folder).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            file = folder / f'{number:04d}.jpg'
            write_image(path.parent / file, draw(label, number))
            lines.append(f'{file.as_posix()} {label}\n')
    with atomic_write(path, 'w') as listing:
        listing.writelines(lines)


def write_open_set(
    path: Path, *, count: int, draw: Callable[[int], Image.Image]
) -> None:
    """Write open-set images, which show no class, and their list.

    Args:
        path: List to write (``path -1`` lines), such as ``open.txt``; images
            go to ``images/open/``.
        count: Number of images.
        draw: Function of an image's number that draws it.
    """
    folder = Path('images', path.stem)
    (path.parent / folder).mkdir(parents=True, exist_ok=True)
    lines = []
    for number in range(count):
        file = folder / f'{number:04d}.jpg'
        write_image(path.parent / file, draw(number))
        lines.append(f'{file.as_posix()} -1\n')
    with atomic_write(path, 'w') as listing:
        listing.writelines(lines)


def write_image(file: Path, image: Image.Image) -> None:
    """Write one JPEG file; its folder exists."""
    with explain_write_errors(file):
        file.write_bytes(encode_jpeg(image))


def _run_job(job: Job) -> None:
    job[1](job[0])
