"""Write the 1000 class names that CLIP's prompts use, one per line."""

import argparse

from ltvl_mm.models.clip import IMAGENET_NAMES
from ltvl_mm.utils.io import atomic_write


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('out', help='e.g. data/imagenet/class_names.txt')
    args = parser.parse_args()
    with atomic_write(args.out, 'w') as file:
        file.writelines(f'{name}\n' for name in IMAGENET_NAMES)


if __name__ == '__main__':
    main()
