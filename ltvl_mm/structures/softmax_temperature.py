"""Temperature of a retrieval's softmax, and where it comes from."""

from dataclasses import dataclass

SOURCES = ('given', 'encoder', 'val')
# Val images that a temperature is fitted to without being asked for.
ENOUGH_VAL = 50


@dataclass(frozen=True)
class SoftmaxTemperature:
    """Temperature of the softmax over classes.

    Args:
        value: Temperature, > 0.
        source: ``'given'`` for a number of the user, ``'encoder'`` for the
            logit scale of the model, ``'val'`` for a fit to val images.
        val_images: Number of val images that it is fitted to; default 0.

    Raises:
        ValueError: If the source is none of these.
    """

    value: float
    source: str
    val_images: int = 0

    def __post_init__(self) -> None:
        """Check the source."""
        if self.source not in SOURCES:
            raise ValueError(
                f'source must be one of {", ".join(SOURCES)}, got '
                f'{self.source!r}'
            )

    def describe(self) -> dict:
        """Return the source, as manifests record it; JSON-like."""
        if self.source == 'val':
            return {'source': self.source, 'val_images': self.val_images}
        return {'source': self.source}
