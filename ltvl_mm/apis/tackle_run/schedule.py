"""Length of a student's training, from the size of its data."""

from dataclasses import dataclass

# Images seen by a training from random weights: 90 to 200 epochs, as long-tail
# papers train (Kang et al. 2020: 90; Table 6 of the TACKLE paper: more).
_IMAGES_SEEN = 5_000_000
_MIN_EPOCHS, _MAX_EPOCHS = 90, 200
# Fine-tuning needs a fraction of that.
_FINE_TUNING = 5
_MANY_IMAGES = 10_000
_VALIDATIONS = 10


@dataclass(frozen=True)
class Schedule:
    """Epochs of a fixed size, the same with and without retrieved images.

    Attributes:
        epochs: Number of epochs.
        steps: Iterations of an epoch.
        batch_size: Images of an iteration, of all GPUs together.
    """

    epochs: int
    steps: int
    batch_size: int

    @property
    def iterations(self) -> int:
        """Iterations in all."""
        return self.epochs * self.steps

    @property
    def epoch_size(self) -> int:
        """Images of an epoch."""
        return self.steps * self.batch_size

    @property
    def val_interval(self) -> int:
        """Epochs between two validations."""
        return max(1, self.epochs // _VALIDATIONS)

    @property
    def warmup(self) -> int:
        """Iterations in which the learning rate rises."""
        return min(self.iterations // 20, 5 * self.steps)


def make_schedule(
    images: int,
    *,
    epochs: int | None = None,
    iterations: int | None = None,
    batch_size: int | None = None,
    gpus: int = 1,
    fine_tuning: bool = False,
) -> Schedule:
    """Return a schedule that suits a training set.

    Args:
        images: Training images, without retrieved ones.
        epochs: Epochs of so many images; None chooses 90 to 200, more for
            fewer images, and a fifth of that for fine-tuning.
        iterations: Iterations instead of epochs, rounded up to whole epochs
            of equal size.
        batch_size: Images of an iteration, of all GPUs together; None for
            256, or 64 below 10,000 images.
        gpus: GPUs that share a batch.
        fine_tuning: True for a student that starts from pretrained weights.

    Raises:
        ValueError: If a number is below 1, both epochs and iterations are
            given, or the GPUs cannot share a batch evenly.
    """
    for name, value in (
        ('images', images),
        ('epochs', epochs),
        ('iterations', iterations),
        ('batch_size', batch_size),
        ('gpus', gpus),
    ):
        if value is not None and value < 1:
            raise ValueError(f'{name} must be at least 1, got {value}')
    if epochs and iterations:
        raise ValueError('give epochs or iterations, not both')
    if batch_size is None:
        batch_size = 256 if images >= _MANY_IMAGES else 64
    if batch_size % gpus:
        raise ValueError(
            f'{gpus} GPUs cannot share a batch of {batch_size} images evenly; '
            f'give a multiple as --batch-size'
        )
    steps = max(1, round(images / batch_size))
    if iterations:
        epochs = max(1, round(iterations / steps))
        steps = -(-iterations // epochs)
    elif epochs is None:
        epochs = _IMAGES_SEEN // images
        epochs = min(_MAX_EPOCHS, max(_MIN_EPOCHS, epochs))
        if fine_tuning:
            epochs //= _FINE_TUNING
    return Schedule(epochs, steps, batch_size)
