"""Find out which family of OpenMMLab packages this environment has.

``python -m ltvl_mm.check_env``. There are two with the same import names, the
maintained fork (onedl-mmengine, ...) and upstream (mmengine, ...), and pip
lets one overwrite the other. Installs nothing; prints what is missing or mixed
with the command that repairs it, and then exits with status 1.
"""

# Runs as a file, before the package is installed: standard library only.
import re
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, requires, version

FORK = ('onedl-mmengine', 'onedl-mmcv', 'onedl-mmpretrain')
UPSTREAM = ('mmengine', 'mmcv-lite', 'mmpretrain')
# Distributions that provide the same module.
_SAME = {'mmcv-lite': ('mmcv-lite', 'mmcv', 'mmcv-full')}
_MIN_TORCH = (2, 6)


def find_faults(installed: Mapping[str, str]) -> list[str]:
    """Return what keeps ltvl_mm from working, each with its remedy.

    Args:
        installed: Versions of installed distributions by name.
    """
    pip = f'{sys.executable} -m pip'
    fork = _find_family(FORK, installed)
    upstream = _find_family(UPSTREAM, installed)
    if fork and upstream:
        mixed = ' '.join([*fork, *upstream])
        return [
            f'both families are installed and overwrite each other: {mixed}. '
            f'Remove all, then install one: {pip} uninstall -y {mixed} && '
            f'{pip} install {" ".join(FORK)}'
        ]
    if not fork and not upstream:
        return [
            f'no OpenMMLab packages are installed. The maintained fork: '
            f'{pip} install {" ".join(FORK)}'
        ]
    faults = []
    family, found = (FORK, fork) if fork else (UPSTREAM, upstream)
    lacking = [
        name
        for name in family
        if not any(one in found for one in _SAME.get(name, (name,)))
    ]
    if lacking:
        faults.append(
            f'{", ".join(lacking)} is missing beside {", ".join(found)}: '
            f'{pip} install {" ".join(lacking)}'
        )
    if upstream and _read_numbers(installed.get('setuptools', '0')) >= (82,):
        faults.append(
            f'upstream mmengine imports pkg_resources, which setuptools 82 '
            f"removed: {pip} install 'setuptools<82'"
        )
    torch = installed.get('torch')
    if torch and _read_numbers(torch) < _MIN_TORCH:
        faults.append(
            f'torch {torch} reads checkpoints unsafely; ltvl_mm needs 2.6 or '
            f"later: {pip} install 'torch>=2.6' torchvision"
        )
    needed = [name for name in list_needed() if name not in installed]
    if needed:
        faults.append(
            f'packages are missing: {pip} install {" ".join(needed)}'
        )
    return faults


def list_needed() -> list[str]:
    """Return the names of the packages that ltvl_mm itself depends on."""
    try:
        lines = requires('ltvl-mm') or []
    except PackageNotFoundError:  # not installed yet
        return []
    return [
        re.split(r'[^A-Za-z0-9._-]', line)[0]
        for line in lines
        if 'extra ==' not in line
    ]


def read_installed() -> dict[str, str]:
    """Return versions of the installed packages that matter, by name."""
    names = {*FORK, *UPSTREAM, 'setuptools', 'torch', *list_needed()}
    for same in _SAME.values():
        names.update(same)
    found = {}
    for name in sorted(names):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _find_family(
    family: tuple[str, ...], installed: Mapping[str, str]
) -> list[str]:
    names = [one for name in family for one in _SAME.get(name, (name,))]
    return [name for name in names if name in installed]


def _read_numbers(text: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r'\d+', text.partition('+')[0])[:2]))


def main() -> None:
    """Print the family and its versions, or what to do; exit with 1 then."""
    installed = read_installed()
    faults = find_faults(installed)
    if faults:
        sys.exit('\n'.join(faults))
    family = FORK if FORK[0] in installed else UPSTREAM
    names = _find_family(family, installed)
    said = ', '.join(f'{name} {installed[name]}' for name in names)
    kind = 'maintained fork' if family is FORK else 'upstream'
    sys.stdout.write(f'{kind}: {said}; nothing is missing\n')


if __name__ == '__main__':
    main()
