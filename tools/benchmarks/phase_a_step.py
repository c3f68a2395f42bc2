"""A step of BALLAD's phase A, ours and as its authors' code does it."""

import copy
import ctypes
import gc
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import torch
import torch.nn.functional as F
from mmpretrain.structures import DataSample
from torch import nn

from ltvl_mm.clip.towers import IMAGENET_NAMES, build_tokenizer
from ltvl_mm.registry import MODELS

LR = 1e-5


class OurStep:
    """A step of the stock classifier with our backbone and head."""

    def __init__(
        self, arch: str, names: Sequence[str], labels: torch.Tensor
    ) -> None:
        model = MODELS.build(
            dict(
                type='ImageClassifier',
                backbone=dict(type='ltvl_mm.CLIPBackbone', arch=arch),
                head=dict(
                    type='ltvl_mm.CLIPContrastiveHead',
                    arch=arch,
                    class_names=list(names),
                    loss='class_ce',
                    logit_scale=100,
                ),
            )
        )
        self.model = model.to(labels.device).train()
        self.samples = [DataSample().set_gt_label(label) for label in labels]
        self.optimizer = _build_optimizer(model.parameters())

    def encode_texts(self) -> torch.Tensor:
        """Return the (K, D) class features."""
        return self.model.head.prototypes()

    def compute_loss(self, images: torch.Tensor) -> torch.Tensor:
        """Return the loss of (B, 3, S, S) images."""
        return self.model.loss(images, self.samples)['loss']


class PlainStep:
    """The loop of the authors' code: all prompts, full length, each step.

    Source: ``batch_forward`` of train.py as its behavior is described, not
    its text; with the weights of ``ours``, in fp32.
    """

    def __init__(
        self,
        ours: OurStep,
        arch: str,
        names: Sequence[str],
        labels: torch.Tensor,
    ) -> None:
        # Never switched to training mode: BatchNorm keeps its statistics.
        self.visual = copy.deepcopy(ours.model.backbone.visual).eval()
        self.text = copy.deepcopy(ours.model.head.text).eval()
        self.tokenizer = build_tokenizer(arch)
        self.names, self.labels = names, labels
        self.optimizer = _build_optimizer(
            [*self.visual.parameters(), *self.text.parameters()]
        )

    def encode_texts(self) -> torch.Tensor:
        """Return the (K, D) class features."""
        tokens = self.tokenizer([f'a photo of a {n}.' for n in self.names])
        return F.normalize(self.text(tokens.to(self.labels.device)), dim=-1)

    def compute_loss(self, images: torch.Tensor) -> torch.Tensor:
        """Return the loss of (B, 3, S, S) images."""
        features = F.normalize(self.visual(images), dim=-1)
        logits = 100 * features @ self.encode_texts().t()
        return F.cross_entropy(logits, self.labels)


def measure_phase_a(
    arch: str,
    *,
    classes: int,
    batch_size: int,
    repeats: int,
    device: str,
    piece: int | None = None,
) -> dict[str, object]:
    """Return seconds, bytes, losses and ratios of both.

    Args:
        arch: An open_clip architecture.
        classes: Number of classes K.
        batch_size: Images of a step.
        repeats: Runs of each measurement.
        device: Device of both.
        piece: Classes that the plain loop encodes, whose text side is then
            extrapolated linearly to K; None for all. Memory is not compared.

    Raises:
        RuntimeError: If the first losses differ: then nothing is compared.
    """
    generator = torch.Generator().manual_seed(0)
    # The longest is always there: it decides how short texts can be.
    names = [
        *IMAGENET_NAMES[: classes - 1],
        max(IMAGENET_NAMES, key=lambda name: len(name.split())),
    ]
    piece = min(piece or classes, classes)
    labels = torch.randint(piece, (batch_size,), generator=generator)
    labels = labels.to(device)
    ours = OurStep(arch, names, labels)
    size = ours.model.backbone.visual.image_size
    size = size if isinstance(size, tuple) else (size, size)
    images = torch.randn(batch_size, 3, *size, generator=generator).to(device)
    plain = PlainStep(ours, arch, names[:piece], labels)
    steps = {'ours': ours, 'plain': plain}
    if piece == classes:
        losses = {k: s.compute_loss(images).item() for k, s in steps.items()}
        if abs(losses['ours'] - losses['plain']) > 1e-3 * losses['plain']:
            raise RuntimeError(f'the losses differ: {losses}')
    text, whole, peaks = ({'ours': [], 'plain': []} for _ in range(3))
    for _ in range(repeats):
        for name, step in steps.items():
            text[name].append(_time(lambda s=step: _run_text(s), device))
            before = _start_peak(device)
            whole[name].append(_time(lambda s=step: _run(s, images), device))
            peaks[name].append(_read_peak(device) - before)
    found = {'arch': arch, 'classes': classes, 'batch_size': batch_size}
    if piece == classes:
        found |= {'first_loss': losses}
    else:
        found |= {'plain_piece': piece}
        _extrapolate(text['plain'], whole['plain'], classes / piece)
    for key, values in (
        ('text_side_seconds', text),
        ('step_seconds', whole),
        ('step_peak_bytes', peaks),
    ):
        found[key] = {name: median(runs) for name, runs in values.items()}
    for key, of in (
        ('text_side_speedup', 'text_side_seconds'),
        ('step_speedup', 'step_seconds'),
        ('peak_memory_ratio', 'step_peak_bytes'),
    ):
        found[key] = found[of]['plain'] / found[of]['ours']
    if piece < classes:
        del found['step_peak_bytes'], found['peak_memory_ratio']
    return found


def _extrapolate(text: list[float], whole: list[float], pieces: float) -> None:
    """Replace the seconds of one piece by those of all, in both lists.

    Of a step, the image side stays as it is.
    """
    for run, seconds in enumerate(text):
        whole[run] += (pieces - 1) * seconds
        text[run] = pieces * seconds


def _build_optimizer(weights: Sequence[nn.Parameter]) -> torch.optim.SGD:
    return torch.optim.SGD(
        [weight for weight in weights if weight.requires_grad],
        lr=LR,
        momentum=0.9,
        weight_decay=5e-4,
    )


def _run(step: OurStep | PlainStep, images: torch.Tensor) -> None:
    step.optimizer.zero_grad()
    step.compute_loss(images).backward()
    step.optimizer.step()


def _run_text(step: OurStep | PlainStep) -> None:
    step.optimizer.zero_grad()
    step.encode_texts().sum().backward()


def _time(run: Callable[[], None], device: str) -> float:
    # CPU time where it is that of one thread: machines are shared.
    alone = device == 'cpu' and torch.get_num_threads() == 1
    clock = time.process_time if alone else time.perf_counter
    _synchronize(device)
    start = clock()
    run()
    _synchronize(device)
    return clock() - start


def _synchronize(device: str) -> None:
    if device.startswith('cuda'):
        torch.cuda.synchronize()


def _start_peak(device: str) -> int:
    """Forget the peak so far; return the bytes in use."""
    if device.startswith('cuda'):
        torch.cuda.reset_peak_memory_stats()
        return torch.cuda.memory_allocated()
    # Linux: what was freed goes back to the system, then VmHWM starts anew.
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    Path('/proc/self/clear_refs').write_text('5')
    return _read_status('VmRSS')


def _read_peak(device: str) -> int:
    if device.startswith('cuda'):
        return torch.cuda.max_memory_allocated()
    return _read_status('VmHWM')


def _read_status(name: str) -> int:
    for line in Path('/proc/self/status').read_text().splitlines():
        if line.startswith(f'{name}:'):
            return 1024 * int(line.split()[1])
    raise RuntimeError(f'/proc/self/status has no {name}')
