"""Types of command-line arguments."""

import argparse


def read_temperature(word: str) -> float | str:
    """Return ``auto`` or a number."""
    return word if word == 'auto' else float(word)


def read_limit(word: str) -> tuple[str, float]:
    """Return name and number of ``NAME=NUMBER``."""
    name, value = split_pair(word)
    return name, float(value)


def read_values(word: str) -> tuple[str, tuple[str, ...]]:
    """Return name and values of ``NAME=VALUE[,VALUE]``."""
    name, value = split_pair(word)
    return name, tuple(value.split(','))


def split_pair(word: str) -> tuple[str, str]:
    """Return both sides of ``NAME=VALUE``."""
    name, equals, value = word.partition('=')
    if not (name and equals and value):
        raise argparse.ArgumentTypeError(f'expected NAME=VALUE, got {word!r}')
    return name, value
