"""Image files that a data set refers to."""

from pathlib import Path


def check_first_image(dataset: object, name: str) -> None:
    """Find a wrong data root before training does.

    Args:
        dataset: A data set with ``get_data_info`` and a length.
        name: What to call it in the message.

    Raises:
        ValueError: If the first sample's image is a local file that does
            not exist.
    """
    if not len(dataset):
        return
    path = dataset.get_data_info(0).get('img_path')
    if path is None or '://' in str(path) or Path(path).is_file():
        return
    raise ValueError(
        f'the first image of {name} does not exist: {path}; check its root '
        f'and prefix'
    )
