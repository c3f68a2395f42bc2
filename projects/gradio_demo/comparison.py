"""What several models say of one image, side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock

import numpy as np

from ltvl_mm.apis import LongTailInferencer


@dataclass(frozen=True)
class Answer:
    """What one model says of an image.

    Attributes:
        model: Its name.
        scores: (class, share) of the best, falling.
        note: Further note for the reader; '' for none.
    """

    model: str
    scores: tuple[tuple[str, float], ...]
    note: str = ''


class ModelComparison:
    """Ask models for the same classes, one request at a time.

    A model with a text side takes any names. Another one is asked which of
    those that it knows the image shows: its shares of them, with sum 1.

    Args:
        models: Name -> inferencer.
        top: Classes that are shown.

    Raises:
        ValueError: If there is no model.
    """

    def __init__(
        self, models: Mapping[str, LongTailInferencer], *, top: int = 5
    ) -> None:
        if not models:
            raise ValueError('there is no model to compare')
        self.models = dict(models)
        self.top = top
        self._lock = Lock()  # classes named at a call change the model

    def compare(
        self, image: np.ndarray, class_names: Sequence[str]
    ) -> list[Answer]:
        """Return an answer per model.

        Args:
            image: (H, W, 3) uint8, RGB.
            class_names: Class names to predict; none for each model's own.

        Raises:
            ValueError: If a name is too long for a text tower.
        """
        pixels = np.ascontiguousarray(image[..., ::-1])  # BGR, as mmcv reads
        with self._lock:
            return [
                self._predict(name, infer, pixels, list(class_names))
                for name, infer in self.models.items()
            ]

    def _predict(
        self,
        name: str,
        infer: LongTailInferencer,
        pixels: np.ndarray,
        wanted: list[str],
    ) -> Answer:
        if wanted and infer.takes_class_names:
            found = infer(pixels, class_names=wanted)[0]
            return Answer(name, self._rank(wanted, found['pred_scores']))
        scores = infer(pixels)[0]['pred_scores']
        known = list(infer.classes or map(str, range(len(scores))))
        if not wanted:
            return Answer(name, self._rank(known, scores))
        shares = share_among(wanted, known, scores)
        strange = [label for label in wanted if label not in shares]
        note = f'does not know {", ".join(strange)}' if strange else ''
        ranked = self._rank(list(shares), np.array([*shares.values()]))
        return Answer(name, ranked, note)

    def _rank(
        self, names: Sequence[str], scores: np.ndarray
    ) -> tuple[tuple[str, float], ...]:
        order = np.argsort(-scores, kind='stable')[: self.top]
        return tuple((names[place], float(scores[place])) for place in order)


def share_among(
    wanted: Sequence[str], known: Sequence[str], scores: np.ndarray
) -> dict[str, float]:
    """Return what a model with fixed classes thinks of some of them.

    Args:
        wanted: Names, in any case.
        known: K names of the model; may repeat.
        scores: (K,) shares, with sum 1.

    Returns:
        Name -> share, with sum 1, of those wanted that are known; NaN if the
        model gives all of them 0.
    """
    places = {
        label: [
            k for k, own in enumerate(known) if own.lower() == label.lower()
        ]
        for label in wanted
    }
    shares = {
        label: float(scores[own].sum()) for label, own in places.items() if own
    }
    total = sum(shares.values())
    return {
        label: share / total if total else float('nan')
        for label, share in shares.items()
    }
