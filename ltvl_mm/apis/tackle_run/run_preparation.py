"""All that a run depends on, checked before anything is written."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ltvl_mm.apis.tackle_run.clip_check import check_clip
from ltvl_mm.apis.tackle_run.estimates import (
    ModelCost,
    choose_image_size,
    estimate_images,
    measure_clip,
    measure_sides,
    measure_student,
)
from ltvl_mm.apis.tackle_run.photo_splits import PhotoSplits, read_photos
from ltvl_mm.apis.tackle_run.schedule import Schedule, make_schedule
from ltvl_mm.apis.tackle_run.settings import (
    RunSettings,
    plan_names,
)
from ltvl_mm.apis.tackle_run.stage_builder import find_tools
from ltvl_mm.apis.tackle_run.stage_list import StageList
from ltvl_mm.apis.tackle_run.student_config import Student, find_student
from ltvl_mm.clip.templates import find_templates
from ltvl_mm.clip.tokenization import tokenize_classes
from ltvl_mm.clip.towers import build_tokenizer
from ltvl_mm.retrieval.budget import compute_budget
from ltvl_mm.retrieval.reading.shards import Shard, find_shards
from ltvl_mm.structures.store_reader import open_store
from ltvl_mm.utils.io import read_json


@dataclass(frozen=True)
class PreparedRun:
    """A checked run.

    Attributes:
        settings: Settings of the run, with absolute paths.
        photos: Splits of the photos.
        names: K class names, with the edits of the user.
        student: Model and transforms that are trained.
        schedule: Iterations and batch size of the training.
        image_size: Side in pixels.
        preprocessing: Preprocessing of CLIP's weights.
        budget: (K,) web images wanted; None without retrieval.
        stages: Builder of the stages.
        web_images: Number of web images, estimated for tars.
        web_to_embed: Number of these that are not in a store yet.
        web_bytes: Mean bytes of a web image.
        student_cost: Cost of a training step.
        clip_cost: Cost of encoding an image.
        notes: Sentences for the user.
    """

    settings: RunSettings
    photos: PhotoSplits
    names: tuple[str, ...]
    student: Student
    schedule: Schedule
    image_size: int
    preprocessing: object
    budget: np.ndarray | None
    stages: StageList
    web_images: int
    web_to_embed: int
    web_bytes: float
    student_cost: ModelCost
    clip_cost: ModelCost
    notes: tuple[str, ...]


def prepare_run(settings: RunSettings) -> PreparedRun:
    """Check photos, names, CLIP, student and web images; write nothing.

    Raises:
        ValueError: If something is missing or does not fit; names it.
    """
    settings = _make_absolute(settings)
    photos = read_photos(
        settings.photos,
        root=settings.root,
        class_names=settings.class_names,
        seed=settings.seed,
    )
    if settings.out.resolve().is_relative_to(photos.root):
        raise ValueError(
            f'the output {settings.out} lies in the folder of the photos, '
            f'whose folders are classes; choose another'
        )
    names = plan_names(settings.lists, photos.names)
    device = 'cuda' if settings.uses_cuda else 'cpu'
    files = [
        photos.root / path
        for images in photos.lists.values()
        for path in images.paths
    ]
    side, photo_bytes = measure_sides(files)
    pretrained = bool(settings.pretrained_student)
    image_size = settings.image_size or choose_image_size(
        side, pretrained=pretrained
    )
    schedule = make_schedule(
        len(photos.lists['train']),
        epochs=settings.epochs,
        iterations=settings.iterations,
        batch_size=settings.batch_size,
        gpus=settings.gpus,
        fine_tuning=pretrained,
    )
    student = find_student(
        settings.student,
        num_classes=len(names),
        image_size=image_size,
        batch_size=schedule.batch_size,
        pretrained=settings.pretrained_student,
    )
    # Names that are too long for the text tower are an error.
    tokenize_classes(
        names,
        find_templates(settings.templates),
        build_tokenizer(settings.arch),
    )
    stores, inputs, shards = sort_web_inputs(settings.web)
    preprocessing = check_clip(settings, stores)
    budget = _check_budget(settings, photos)
    web_images, web_bytes = _count_web(stores, shards, photo_bytes)
    embedded = sum(len(open_store(store)) for store in stores)
    return PreparedRun(
        settings=settings,
        photos=photos,
        names=names,
        student=student,
        schedule=schedule,
        image_size=image_size,
        preprocessing=preprocessing,
        budget=budget,
        stages=StageList(
            settings,
            photos.root,
            tuple(stores),
            tuple(inputs),
            _list_files(shards),
            student.name,
            find_tools(),
        ),
        web_images=web_images,
        web_to_embed=max(0, web_images - embedded),
        web_bytes=web_bytes,
        student_cost=measure_student(student, image_size, device=device),
        clip_cost=measure_clip(settings.arch, device=device),
        notes=(
            *photos.notes,
            f'the photos have a short side of about {side} px; the student '
            f'sees {image_size} px',
        ),
    )


def sort_web_inputs(
    web: Sequence[str | Path],
) -> tuple[list[Path], list[str], list[Shard]]:
    """Split web images into finished stores and inputs to embed.

    Returns:
        Folders of the stores; the inputs to embed; and their shards.

    Raises:
        ValueError: If an input does not exist or holds no image.
    """
    stores, inputs = [], []
    for one in web:
        path = Path(one)
        if (path / 'store.json').is_file():
            stores.append(path)
        elif (path / 'img_emb').is_dir():
            raise ValueError(
                f'the embedding store {path} is not complete, or of another '
                f'program: finish it with tools/embed_images.py, or say by '
                f'which encoder with tools/index_store.py'
            )
        else:
            inputs.append(str(one))
    return stores, inputs, find_shards(inputs) if inputs else []


def check_disk(folder: Path, needed: float) -> None:
    """Raise ValueError if a disk has too little space.

    Args:
        folder: Output folder; may not exist yet.
        needed: Bytes.
    """
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise ValueError(
            f'the disk of {folder} has {free / 1e9:.1f} GB left, and about '
            f'{needed / 1e9:.1f} GB are needed; free some, choose another '
            f'output, or retrieve fewer images (--budget)'
        )


def _make_absolute(settings: RunSettings) -> RunSettings:
    """Return settings whose commands work in any folder."""

    def absolute(path: str | Path) -> str:
        # Not resolved: links stay what the user called them.
        return os.path.abspath(path)

    student = settings.student
    if student.endswith('.py'):
        student = absolute(student)
    templates = settings.templates
    if Path(templates).is_file():
        templates = absolute(templates)
    background = settings.background
    if Path(background).is_file():
        background = absolute(background)
    budget = settings.budget
    if Path(str(budget)).suffix == '.json':
        budget = absolute(budget)
    return replace(
        settings,
        photos=tuple(Path(absolute(one)) for one in settings.photos),
        out=Path(absolute(settings.out)),
        web=tuple(absolute(one) for one in settings.web),
        student=student,
        templates=templates,
        background=background,
        budget=budget,
    )


def _check_budget(
    settings: RunSettings, photos: PhotoSplits
) -> np.ndarray | None:
    if 'tackle' not in settings.methods:
        return None
    rule = settings.budget
    if Path(str(rule)).suffix == '.json':
        rule = read_json(rule)
    budget = compute_budget(rule, len(photos.names), photos.counts)
    if not budget.any():
        raise ValueError(
            f'the budget {settings.budget!r} asks for no web image: every '
            f'class has so many photos already; give a larger --budget'
        )
    return budget


def _count_web(
    stores: Sequence[Path], shards: Sequence[Shard], default_bytes: float
) -> tuple[int, float]:
    """Return the number of web images, and the mean bytes of one."""
    number, mean = estimate_images(shards)
    for store in stores:
        number += len(open_store(store))
    return number, mean or default_bytes


def _list_files(shards: Sequence[Shard]) -> str:
    """Return names, sizes and times of the files of some shards."""
    lines = []
    for shard in shards:
        if shard.tar is not None:
            stat = shard.tar.stat()
            lines.append(f'{shard.name} {stat.st_size} {stat.st_mtime_ns}')
        for key, file in shard.files:
            stat = file.stat()
            lines.append(f'{key} {stat.st_size} {stat.st_mtime_ns}')
    return '\n'.join(lines)
