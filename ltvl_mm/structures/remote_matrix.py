"""Embeddings of a remote ``.npy`` file, read by ranges of rows.

Takes the place of a memory-mapped array: nothing is kept, so that a store of
any size is searched without a local copy.
"""

import io
import math
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future

import numpy as np

from ltvl_mm.utils.remote_calls import PARALLEL, map_ahead, submit
from ltvl_mm.utils.remote_files import measure_object, read_range

# Bytes of a request, and the bytes between two wanted rows that are cheaper
# to read than a request of their own.
_REQUEST_BYTES = 4 << 20
_GAP_BYTES = 64 << 10
# numpy writes headers of 128 bytes.
_HEADER_BYTES = 64 << 10
_READ_HEADER = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


class RemoteMatrix:
    """A (rows, D) matrix of a remote ``.npy`` file.

    Args:
        url: Address of the file.

    Raises:
        ValueError: If it is not a ``.npy`` file of rows.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        size = measure_object(url)
        header = io.BytesIO(read_range(url, 0, min(size, _HEADER_BYTES)))
        version = np.lib.format.read_magic(header)
        if version not in _READ_HEADER:
            raise ValueError(f'version {version} of .npy is not read')
        self.shape, by_columns, self.dtype = _READ_HEADER[version](header)
        self.ndim = len(self.shape)
        self._start = header.tell()
        if (by_columns and self.ndim > 1) or self.dtype.hasobject:
            raise ValueError('the array is not stored row by row')
        self._row_bytes = self.dtype.itemsize * math.prod(self.shape[1:])
        expected = self._start + len(self) * self._row_bytes
        if size != expected:
            raise ValueError(
                f'it has {size:,} bytes where {expected:,} are due'
            )

    def __len__(self) -> int:
        return self.shape[0] if self.ndim else 0

    def __getitem__(self, rows: 'int | slice | np.ndarray') -> np.ndarray:
        """Return the rows of a number, a slice or an array of numbers."""
        if isinstance(rows, slice):
            first, stop, step = rows.indices(len(self))
            if step != 1:
                raise ValueError(f'rows are read with step 1, got {step}')
            pieces = [piece for _, piece in self.stream(first, stop, 1 << 62)]
            return pieces[0] if pieces else self._parse(b'')
        if isinstance(rows, np.ndarray):
            return self._take(rows)
        return self[rows : rows + 1][0]

    def stream(
        self, first: int, stop: int, rows: int
    ) -> Iterator[tuple[int, np.ndarray]]:
        """Yield (first row, rows) of consecutive chunks.

        Requests of later chunks are made while earlier ones are used; at most
        PARALLEL requests of 4 MB, or a chunk, are in memory.

        Args:
            first: First row.
            stop: End row, exclusive.
            rows: Maximum rows of a chunk.
        """
        step = max(1, _REQUEST_BYTES // max(1, self._row_bytes))
        cuts = []
        for start in range(first, stop, min(rows, max(1, stop - first))):
            end = min(start + rows, stop)
            cuts.append([start, *range(start + step, end, step), end])
        pending: deque[list[Future[bytes]]] = deque()
        turn = 0
        for cut in cuts:
            while turn < len(cuts) and (
                not pending
                or sum(map(len, pending)) + len(cuts[turn]) <= PARALLEL
            ):
                spans = zip(cuts[turn], cuts[turn][1:], strict=False)
                pending.append([submit(self._read, *span) for span in spans])
                turn += 1
            data = b''.join(one.result() for one in pending.popleft())
            yield cut[0], self._parse(data)

    def _take(self, rows: np.ndarray) -> np.ndarray:
        """Return (M, D) rows; near ones are read with one request."""
        wanted, places = np.unique(rows, return_inverse=True)
        found = np.empty((len(wanted), *self.shape[1:]), self.dtype)
        gap = np.diff(wanted) * self._row_bytes
        step = max(1, _REQUEST_BYTES // max(1, self._row_bytes))
        starts = [0]
        for place in range(1, len(wanted)):
            is_long = wanted[place] - wanted[starts[-1]] >= step
            if gap[place - 1] > _GAP_BYTES or is_long:
                starts.append(place)
        stops = [*starts[1:], len(wanted)]
        spans = list(zip(starts, stops, strict=True)) if len(wanted) else []

        def read(span: tuple[int, int]) -> bytes:
            return self._read(
                int(wanted[span[0]]), int(wanted[span[1] - 1]) + 1
            )

        pieces = map_ahead(read, spans)
        for (start, stop), data in zip(spans, pieces, strict=True):
            piece = self._parse(data)
            found[start:stop] = piece[wanted[start:stop] - wanted[start]]
        return found[places.reshape(rows.shape)]

    def _read(self, first: int, stop: int) -> bytes:
        start, end = (self._start + n * self._row_bytes for n in (first, stop))
        return read_range(self.url, start, end)

    def _parse(self, data: bytes) -> np.ndarray:
        """Return rows as an array that may be written to, as torch wants."""
        found = np.frombuffer(data, self.dtype).reshape(-1, *self.shape[1:])
        return found.copy()
