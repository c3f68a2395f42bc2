"""Match downloaded images to the rows of a manifest."""

import os
from collections import defaultdict
from dataclasses import replace

from ltvl_mm.retrieval.reading.download_list import WantedImages
from ltvl_mm.retrieval.reading.image_text import MAX_URL
from ltvl_mm.retrieval.reading.shards import Shard
from ltvl_mm.retrieval.reading.web_image import WebImage, escape_text


class DownloadMatcher:
    """Finds the rows of a download: by URL, then file path, then key.

    Args:
        wanted: Rows of the full manifest.
        own_files: True if the images are the files that were embedded. Then
            their keys are those of the store, also if they have a URL. Default
            False.
    """

    def __init__(
        self, wanted: WantedImages, *, own_files: bool = False
    ) -> None:
        self.own_files = own_files
        self.rows_of: dict[tuple[str, str], list[int]] = defaultdict(list)
        pairs = zip(wanted.url, wanted.manifest.key, strict=True)
        for row, (url, key) in enumerate(pairs):
            if url:  # shortened as in iterate_shard
                self.rows_of['url', escape_text(url[:MAX_URL])].append(row)
            self.rows_of['key', key].append(row)
            self.rows_of['path', os.path.abspath(key)].append(row)

    def find_rows(self, image: WebImage) -> list[int]:
        """Return the rows that a download belongs to.

        Args:
            image: A download. One that has a URL is not matched by its key:
                img2dataset numbers its downloads, and the number of another
                download may be a key of the store.
        """
        names = [('url', image.url), ('path', os.path.abspath(image.source))]
        if self.own_files or not image.url:
            names.append(('key', image.key))
        for name in names:
            if name in self.rows_of:
                return self.rows_of[name]
        return []

    def skip_foreign_files(self, shard: Shard) -> Shard:
        """Leave out image files that no row names and that have no URL.

        They need not be read. The URL of a file is in the ``.json`` next to
        it. Tars and parquet files are returned unchanged.
        """
        if shard.tar is not None:
            return shard
        files = tuple(
            (key, file)
            for key, file in shard.files
            if file.with_suffix('.json').is_file()
            or self.find_rows(WebImage(key, b'', source=str(file)))
        )
        return replace(shard, files=files)
