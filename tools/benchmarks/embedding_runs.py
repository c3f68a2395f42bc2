"""Measurements of embedding.py."""

import argparse
import io
import os
import tarfile
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import torch
from PIL import Image

from ltvl_mm.clip.frozen_clip import FrozenCLIP
from ltvl_mm.clip.towers import build_clip
from ltvl_mm.retrieval.reading.image_batches import ShardBatches
from ltvl_mm.retrieval.reading.shard_embedding import embed_shards
from ltvl_mm.retrieval.reading.shards import Shard, find_shards

# As img2dataset leaves them: short side 256, about 40 kB.
WIDTH, HEIGHT, QUALITY = 340, 256, 92


def run(args: argparse.Namespace) -> dict:
    """Return the results of the benchmark."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        shards = write_tars(work / 'tars', args.images, args.tars)
        torch.manual_seed(0)
        torch.save(build_clip(args.arch).state_dict(), work / 'clip.pt')
        clip = FrozenCLIP(
            args.arch,
            str(work / 'clip.pt'),
            device=args.device,
            amp=args.amp,
            compile=args.compile,
        )
        return measure(args, work, shards, clip)


def measure(
    args: argparse.Namespace, work: Path, shards: list[Shard], clip: FrozenCLIP
) -> dict[str, object]:
    """Return images/s of both, their ratio, and the cost of the CPU part."""
    host, batch = measure_host(args, shards, clip)
    clip.encode_images(batch)  # the first call compiles or allocates

    def embed() -> None:
        embed_shards(
            shards,
            Path(tempfile.mkdtemp(dir=work)) / 'store',
            clip.encode_images,
            clip.preprocess,
            clip.identity,
            batch_size=args.batch_size,
            workers=args.workers,
        )

    runs = {
        'encoder': lambda: encode_ready(batch, args.images, clip),
        'tool': embed,
    }
    times = {name: [] for name in runs}
    for _ in range(args.repeats):
        for name, run in runs.items():
            times[name].append(_time(run))
    wall, cpu = {}, {}
    for name, seconds in times.items():
        wall[name] = median(one for one, _ in seconds)
        cpu[name] = median(one for _, one in seconds)
    ratios = [seconds['encoder'] / seconds['tool'] for seconds in (wall, cpu)]
    on_gpu = args.device.startswith('cuda')
    return {
        **vars(args),
        'threads': torch.get_num_threads(),
        'encoder_images_per_s': args.images / wall['encoder'],
        'tool_images_per_s': args.images / wall['tool'],
        'encoder_cpu_ms_per_image': 1000 * cpu['encoder'] / args.images,
        'tool_cpu_ms_per_image': 1000 * cpu['tool'] / args.images,
        'host_ms_per_image': host,
        'wall_ratio': ratios[0],
        'cpu_ratio': ratios[1],
        'embedding_over_encoder': ratios[0] if on_gpu else min(ratios),
    }


def measure_host(
    args: argparse.Namespace, shards: list[Shard], clip: FrozenCLIP
) -> tuple[float, torch.Tensor]:
    """Return CPU ms per image before the encoder, and a whole batch."""
    first = ShardBatches(shards, [0], clip.preprocess, args.batch_size)
    costs = []
    for _ in range(args.repeats):
        start = time.process_time()
        batches = [batch.images for batch in first]
        seconds = time.process_time() - start
        costs.append(1000 * seconds / sum(map(len, batches)))
    return median(costs), batches[0]


def encode_ready(batch: torch.Tensor, images: int, clip: FrozenCLIP) -> None:
    """Encode as many images as the tool, in batches of its size."""
    for start in range(0, images, len(batch)):
        with torch.inference_mode():
            features = torch.nn.functional.normalize(
                clip.encode_images(batch[: images - start]).float(), dim=-1
            )
    features.cpu()  # waits for the device


def write_tars(folder: Path, images: int, tars: int) -> list[Shard]:
    """Write pictures with coarse shapes and fine grain, as photos have."""
    rng = np.random.default_rng(0)
    folder.mkdir()
    files = [draw_jpeg(rng) for _ in range(min(images, 64))]
    for number in range(tars):
        with tarfile.open(folder / f'{number:05d}.tar', 'w') as tar:
            for place in range(number, images, tars):
                data = files[place % len(files)]
                member = tarfile.TarInfo(f'{place:09d}.jpg')
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
    return find_shards([str(folder)])


def draw_jpeg(
    rng: np.random.Generator, width: int = WIDTH, height: int = HEIGHT
) -> bytes:
    """Return the bytes of a JPEG of coarse shapes and fine grain."""
    coarse = rng.integers(0, 256, (height // 16, width // 16, 3), np.uint8)
    shapes = Image.fromarray(coarse).resize(
        (width, height), Image.Resampling.BICUBIC
    )
    grain = rng.normal(0, 8, (height, width, 3))
    pixels = np.clip(np.array(shapes) + grain, 0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, 'JPEG', quality=QUALITY)
    return file.getvalue()


def _time(run: Callable[[], None]) -> tuple[float, float]:
    """Return seconds of wall, and of CPU with those of ended workers."""
    before, start = sum(os.times()[:4]), time.perf_counter()
    run()
    return time.perf_counter() - start, sum(os.times()[:4]) - before
