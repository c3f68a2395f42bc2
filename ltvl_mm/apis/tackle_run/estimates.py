"""Time, disk and downloads of a run, measured on this machine in seconds."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from mmengine.registry import DefaultScope
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import nn

from ltvl_mm.apis.tackle_run.student_config import Student
from ltvl_mm.clip.sources import has_own_weights
from ltvl_mm.clip.towers import build_clip, find_arch
from ltvl_mm.retrieval.reading.shards import Shard, iterate_shard
from ltvl_mm.utils.image_decoding import decode_image
from ltvl_mm.utils.rng import make_generator

# Images that are read to find out how large they are.
_SAMPLE = 64
# For each image of a store, besides its embedding: key, caption, URL, ...
_METADATA_BYTES = 400


@dataclass(frozen=True)
class ModelCost:
    """Parameters, and seconds an image takes.

    Attributes:
        parameters: Number of parameters.
        seconds: Seconds of an image: for a student a forward and backward
            pass, for CLIP a forward pass. None if it was not measured.
    """

    parameters: int
    seconds: float | None


def measure_student(
    student: Student, image_size: int, *, device: str, batch_size: int = 4
) -> ModelCost:
    """Build a student and take one training step on random images.

    Raises:
        ValueError: If it cannot be built, or not take images of this size.
    """
    try:
        with DefaultScope.overwrite_default_scope('mmpretrain'):
            model = MODELS.build(
                _without_weights(student.model)
                | dict(data_preprocessor=student.data_preprocessor)
            )
        model = model.to(device).train()
        images = torch.zeros(
            batch_size, 3, image_size, image_size, device=device
        )
        samples = [DataSample().set_gt_label(0) for _ in range(batch_size)]

        def step() -> None:
            losses = model(images, samples, mode='loss')
            sum(value.sum() for value in losses.values()).backward()
            if device == 'cuda':
                torch.cuda.synchronize()

        step()  # the first one allocates
        begin = time.perf_counter()
        step()
    # Which error a config raises depends on what is wrong with it.
    except Exception as error:
        raise ValueError(
            f'the student {student.name!r} cannot be trained on images of '
            f'{image_size} px: {error!s:.500}'
        ) from error
    seconds = (time.perf_counter() - begin) / batch_size
    return ModelCost(_count(model), seconds)


def measure_clip(arch: str, *, device: str, batch_size: int = 4) -> ModelCost:
    """Encode random images with random weights of an architecture.

    Raises:
        ValueError: If the architecture is unknown.
    """
    find_arch(arch)
    if has_own_weights(arch):  # would be read or downloaded
        return ModelCost(0, None)
    model = build_clip(arch).eval().to(device)
    size = find_arch(arch)['vision_cfg']['image_size']
    side = (size, size) if isinstance(size, int) else tuple(size)
    images = torch.zeros(batch_size, 3, *side, device=device)
    with torch.inference_mode():
        model.visual(images)
        begin = time.perf_counter()
        model.visual(images)
        if device == 'cuda':
            torch.cuda.synchronize()
    seconds = (time.perf_counter() - begin) / batch_size
    return ModelCost(_count(model), seconds)


def measure_sides(files: Sequence[Path]) -> tuple[int, float]:
    """Return the median short side and the mean bytes of some images.

    Args:
        files: All images; some are drawn.

    Raises:
        ValueError: If none of those that are drawn can be read.
    """
    order = make_generator(0).permutation(len(files))[:_SAMPLE]
    sides, sizes = [], []
    for place in order:
        try:
            data = files[place].read_bytes()
            sides.append(min(decode_image(data).size))
            sizes.append(len(data))
        except (OSError, ValueError):
            continue
    if not sides:
        raise ValueError(
            f'none of {len(order)} photos can be read, such as '
            f'{files[order[0]]}'
        )
    return int(np.median(sides)), float(np.mean(sizes))


def choose_image_size(side: int, *, pretrained: bool) -> int:
    """Return a training size for photos of a short side in pixels.

    A multiple of 32 in [32, 224], as large as the photos; pretrained
    students have 224.
    """
    if pretrained:
        return 224
    return int(np.clip(round(side / 32) * 32, 32, 224))


def estimate_images(shards: Sequence[Shard]) -> tuple[int, float]:
    """Estimate how many images some shards hold, and their mean bytes.

    Files are counted; tars are estimated from the first images of the first.
    """
    tars = [shard for shard in shards if shard.tar is not None]
    files = sum(len(shard.files) for shard in shards)
    if not tars:
        sizes = [
            path.stat().st_size
            for _, path in (shards[0].files if shards else ())[:_SAMPLE]
        ]
        return files, float(np.mean(sizes)) if sizes else 0.0
    sizes = []
    for image in iterate_shard(tars[0]):
        if image.data is not None:
            sizes.append(len(image.data))
        if len(sizes) >= _SAMPLE:
            break
    mean = float(np.mean(sizes)) if sizes else 100_000.0
    total = sum(shard.tar.stat().st_size for shard in tars if shard.tar)
    # A member has a header, and is padded to 512 bytes; captions beside it.
    return files + round(total / (mean + 2_500)), mean


def estimate_store_bytes(images: int, width: int) -> float:
    """Return the bytes of a store of float16 embeddings."""
    return images * (2.0 * width + _METADATA_BYTES)


def _without_weights(model: dict) -> dict:
    backbone = {
        name: value
        for name, value in model['backbone'].items()
        if name != 'init_cfg'
    }
    return model | dict(backbone=backbone)


def _count(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())
