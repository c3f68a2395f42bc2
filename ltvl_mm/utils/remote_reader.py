"""Read remote objects as files, block by block, with bounded memory.

fsspec's own caches are not used: they request at most one block ahead, and a
failed request raises the file system's error, without the object's name and
without the tries of :func:`.remote_calls.call_remote`.
"""

import io
from collections import OrderedDict
from concurrent.futures import Future
from typing import IO

from ltvl_mm.utils import remote_calls, remote_files
from ltvl_mm.utils.remote_errors import RemoteError

# Bytes of a request. Servers answer the first byte after 10 to 100 ms.
BLOCK_BYTES = 4 << 20
# Blocks read in advance once two neighbors were wanted, and blocks that are
# kept: an open file holds at most 24 MB.
AHEAD = 3
KEPT = 3
_BUFFER_BYTES = 64 << 10


class RemoteReader(io.RawIOBase):
    """Remote object as a seekable file for reading bytes.

    Args:
        url: Address of the object.
        size: Number of bytes.
    """

    def __init__(self, url: str, size: int) -> None:
        super().__init__()
        self.url = url
        self.size = size
        self._position = 0
        self._last = -2
        self._blocks: OrderedDict[int, Future[bytes]] = OrderedDict()

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position, which may lie behind the end; return it."""
        start = {
            io.SEEK_SET: 0,
            io.SEEK_CUR: self._position,
            io.SEEK_END: self.size,
        }[whence]
        if start + offset < 0:
            raise ValueError(f'negative position {start + offset}')
        self._position = start + offset
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill a buffer up to the end of a block; return the bytes read."""
        count = min(len(buffer), self.size - self._position)
        if count <= 0:
            return 0
        number, start = divmod(self._position, BLOCK_BYTES)
        block = self._get_block(number)
        piece = memoryview(block)[start : start + count]
        buffer[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)

    def close(self) -> None:
        """Drop the blocks; requests that have not begun are not made."""
        for future in self._blocks.values():
            future.cancel()
        self._blocks.clear()
        super().close()

    def _get_block(self, number: int) -> bytes:
        """Return a block; request the next ones if blocks are in turn."""
        wanted = [number]
        if number - self._last in (0, 1) or number in self._blocks:
            last = (self.size - 1) // BLOCK_BYTES
            wanted += range(number + 1, min(number + AHEAD, last) + 1)
        self._last = number
        for one in wanted:
            if one not in self._blocks:
                start = one * BLOCK_BYTES
                stop = min(start + BLOCK_BYTES, self.size)
                self._blocks[one] = remote_calls.submit(
                    remote_files.read_range, self.url, start, stop
                )
        self._blocks.move_to_end(number)
        unwanted = [one for one in self._blocks if one not in wanted]
        for one in unwanted[: max(0, len(self._blocks) - AHEAD - KEPT)]:
            self._blocks.pop(one).cancel()
        try:
            return self._blocks[number].result()
        except FileNotFoundError:
            raise RemoteError(
                f'{self.url} cannot be read: it was deleted while it was read'
            ) from None


def open_remote(url: str) -> IO[bytes]:
    """Open a remote object for reading bytes at any position.

    Raises:
        FileNotFoundError: If it does not exist.
        RemoteError: If the server cannot be reached.
    """
    size = remote_files.measure_object(url)
    return io.BufferedReader(RemoteReader(url, size), _BUFFER_BYTES)
