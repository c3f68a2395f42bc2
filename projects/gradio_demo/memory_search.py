"""Images of an embedding store, by class text."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from ltvl_mm.clip.frozen_clip import FrozenCLIP
from ltvl_mm.retrieval.reading.web_image import read_image_bytes
from ltvl_mm.retrieval.search.search_spec import SearchOptions
from ltvl_mm.retrieval.search.selection import select_images
from ltvl_mm.structures.class_queries import ClassQueries
from ltvl_mm.structures.store_reader import open_store
from ltvl_mm.utils.image_decoding import decode_image
from ltvl_mm.utils.log_odds import compute_probability

_COLUMNS = ('image_path', 'caption', 'source', 'offset', 'size', 'sha256')


@dataclass(frozen=True)
class FoundImage:
    """An image of the store.

    Attributes:
        key: Its name in the store.
        caption: '' where the web gave none.
        cosine: Cosine of image and class text.
        share: p_k among the classes of the search; None if it has none.
        picture: None if it cannot be shown.
        reason: Reason why it is not shown.
    """

    key: str
    caption: str
    cosine: float
    share: float | None
    picture: Image.Image | None
    reason: str = ''


class MemorySearch:
    """Find the images of a store for a class.

    Args:
        store: Folder of an embedding store.
        pretrained: Weights of its encoder, tag or file; None for OpenAI's.
        among: Classes that an image is told apart from: the best are those
            of highest probability, as in retrieval (Eq. 3 and 4 of the
            TACKLE paper). None given, those of highest cosine.
        temperature: Temperature of the softmax over these classes, > 0.
        device: Device of the text encoder.

    Raises:
        ValueError: If there is no store, another encoder made it, or the
            temperature is not a finite number > 0.
    """

    def __init__(
        self,
        store: str | Path,
        pretrained: str | None,
        *,
        among: Sequence[str] = (),
        temperature: float = 0.01,
        device: str = 'cpu',
    ) -> None:
        if not 0 < temperature < math.inf:
            raise ValueError(
                f'temperature must be a finite number > 0, got {temperature}'
            )
        self.store = open_store(store)
        self.clip = FrozenCLIP(
            self.store.encoder['arch'], pretrained, device=device
        )
        self.among = tuple(among)
        self.temperature = temperature
        self._encode(['a class']).check_store(self.store)

    def search(
        self, class_names: Sequence[str], *, count: int = 12
    ) -> dict[str, list[FoundImage]]:
        """Return class -> its images, best first.

        Args:
            class_names: Each once.
            count: Images of a class.

        Raises:
            ValueError: If a class is named twice or not at all, or a name is
                too long for the text tower.
        """
        if not class_names or len(set(class_names)) < len(class_names):
            raise ValueError(
                f'name one class or several, each once; got '
                f'{list(class_names)}'
            )
        others = [name for name in self.among if name not in class_names]
        budget = np.zeros(len(class_names) + len(others), np.int64)
        budget[: len(class_names)] = count
        ranked = bool(self.among) and len(budget) > 1
        found = select_images(
            self.store,
            self._encode([*class_names, *others]),
            budget,
            SearchOptions(
                temperature=self.temperature,
                score='softmax' if ranked else 'cosine',
            ),
        )
        results = {}
        for name, best in zip(class_names, found, strict=False):
            shares = compute_probability(best.scores) if ranked else None
            results[name] = self._show(best.rows, best.cosines, shares)
        return results

    def _encode(self, class_names: Sequence[str]) -> ClassQueries:
        embeddings = self.clip.encode_class_names(class_names, 'single')
        return ClassQueries(
            tuple(class_names),
            ('single',),
            embeddings.numpy(),
            # Only texts are encoded here, so the images' preprocessing is
            # the store's, whatever --preprocess it was embedded with.
            self.clip.identity
            | {
                name: self.store.encoder[name]
                for name in ('preprocessing',)
                if name in self.store.encoder
            },
        )

    def _show(
        self,
        rows: np.ndarray,
        cosines: np.ndarray,
        shares: np.ndarray | None,
    ) -> list[FoundImage]:
        metadata = self.store.read_metadata(rows, _COLUMNS)
        found = []
        for row, (key, caption, *place) in enumerate(
            zip(*(metadata[name] for name in _COLUMNS), strict=True)
        ):
            try:
                picture, reason = decode_image(read_image_bytes(*place)), ''
            except ValueError as error:
                picture, reason = None, str(error)
            found.append(
                FoundImage(
                    key,
                    caption or '',
                    float(cosines[row]),
                    None if shares is None else float(shares[row]),
                    picture,
                    reason,
                )
            )
        return found
