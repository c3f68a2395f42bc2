"""Interface of a data set of labeled images."""

from typing import Protocol


class ClassificationDataset(Protocol):
    """Data set of mmpretrain or mmengine, or a wrapper of one.

    ``get_data_info`` returns the annotation of a sample: a dict with
    ``gt_label`` and, for image files, ``img_path``. Indexing returns the
    sample after its transforms.
    """

    @property
    def metainfo(self) -> dict:
        """Meta information; ``classes`` are the class names."""

    def full_init(self) -> None:
        """Read the annotations if they are not read yet."""

    def get_data_info(self, idx: int) -> dict:
        """Return the annotation of a sample."""

    def __getitem__(self, idx: int) -> dict: ...

    def __len__(self) -> int: ...
