"""Check that constraints.txt pins every package of every extra, and nothing else.

    python -m tests.checks.pins

It compares constraints.txt with pyproject.toml and with the packages that are installed here. For a
package that this system does not need (such as one for Windows), the pin must only exist.
"""

import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.checks.dependencies import (
    PROJECT,
    Pin,
    extras,
    needed_packages,
    read_pins,
    requirements,
)


def main() -> int:
    """Prints each wrong or missing pin; returns 1 if there is one, else 0."""
    problems = list(check(read_pins()))
    for problem in problems:
        print(f"constraints.txt: {problem}", file=sys.stderr)
    return 1 if problems else 0


def check(pins: dict[str, Pin]) -> Iterator[str]:
    """Yields what is wrong with the pins, and how to fix each."""
    needed = needed_packages()
    for name in sorted(needed.keys() - pins.keys()):
        yield f"{name} is not pinned. Add {name}=={_installed(name) or 'VERSION'}."
    for name in sorted(pins.keys() - needed.keys()):
        yield f"nothing needs {pins[name].name}. Remove the line."

    for name, pin in pins.items():
        installed = _installed(name)
        if name in needed and installed is not None and installed != pin.version:
            yield f"{pin.name}=={pin.version}, but {installed} is installed. Run make check again."
    yield from _outside_ranges(pins, needed)


def _outside_ranges(pins: dict[str, Pin], needed: dict[str, tuple[str, ...]]) -> Iterator[str]:
    """Yields the pins that the project or another package does not accept."""
    for name in (PROJECT, *sorted(needed)):
        wanted = frozenset(extras()) if name == PROJECT else frozenset()
        for requirement in requirements(name, wanted):
            pin = pins.get(canonicalize_name(requirement.name))
            if pin and not requirement.specifier.contains(Version(pin.version), prereleases=True):
                yield f"{name} requires {requirement}, but the pin is {pin.name}=={pin.version}."


def _installed(name: str) -> str | None:
    """Returns the installed version; None if the package is missing here."""
    try:
        # A build has a label of its own: PyTorch for CPUs is 2.13.0+cpu.
        return version(name).partition("+")[0]
    except PackageNotFoundError:
        return None


if __name__ == "__main__":
    sys.exit(main())
