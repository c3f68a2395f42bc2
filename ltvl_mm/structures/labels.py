"""Labels of any data set of the host, wrapped or not."""

import numpy as np


def read_labels(dataset: object, num_classes: int | None = None) -> np.ndarray:
    """Return the (N,) int64 class labels of ``dataset``.

    Uses ``get_data_info`` alone: ``get_gt_labels`` is missing from the
    host's Repeat-, Concat- and ClassBalancedDataset.

    Args:
        dataset: A data set or wrapper with ``get_data_info`` and a length.
        num_classes: K; None takes the length of its ``classes``, if any.

    Raises:
        ValueError: If a sample has no single label, or one outside [0, K);
            names the sample's index, image and label.
    """
    if num_classes is None:
        names = getattr(dataset, 'metainfo', {}).get('classes')
        num_classes = None if names is None else len(names)
    labels = np.empty(len(dataset), np.int64)
    for index in range(len(dataset)):
        info = dataset.get_data_info(index)
        label = info.get('gt_label')
        if not isinstance(label, int):  # nearly all are, and are read fast
            if label is None or np.size(label) != 1:
                raise ValueError(
                    f'sample {index} ({info.get("img_path", "no path")}) has '
                    f'no single class label: gt_label={label!r}'
                )
            label = int(np.ravel(label)[0])
        labels[index] = label
        if label < 0 or (num_classes is not None and label >= num_classes):
            raise ValueError(
                f'sample {index} ({info.get("img_path", "no path")}): label '
                f'{label} lies outside [0, {num_classes})'
            )
    return labels
