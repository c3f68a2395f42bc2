"""Sections of a README that a command writes, between two comments."""

import re


def replace_section(text: str, name: str, content: str) -> str:
    """Return a README with another content of a section.

    A section stands between ``<!-- begin NAME -->`` and ``<!-- end NAME -->``.

    Args:
        text: Text of the README.
        name: Name of the section.
        content: Markdown for it.

    Raises:
        ValueError: If the README does not have the section exactly once.
    """
    begin, end = f'<!-- begin {name} -->', f'<!-- end {name} -->'
    pattern = re.compile(re.escape(begin) + '.*?' + re.escape(end), re.DOTALL)
    found = pattern.findall(text)
    if len(found) != 1:
        raise ValueError(
            f'{len(found)} sections {begin} ... {end}, expected one; '
            'write both comments where the tables belong'
        )
    return pattern.sub(lambda _: f'{begin}\n\n{content}\n\n{end}', text)
