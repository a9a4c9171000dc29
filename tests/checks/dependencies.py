"""Walk through the packages that the project needs, as the installed packages describe them.

Requirements with a marker ("on Windows only") count on every system that the project runs on, so
that the result does not depend on the machine.
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = "footnote-qa"
BASE = "base"
"""Stands for no extra: what every installation needs."""
TOOLS = "dev"
"""The extra of the project's own tools: nothing that a wheel needs."""
UNSHIPPED = frozenset({TOOLS, "real-model", "training"})
"""The extras that only work on the project itself needs."""
_CUDA = re.compile("^(nvidia|cuda|triton)(-|$)")
"""Packages of PyTorch's CUDA build, which only the default index for Linux requires."""
_PYTHONS = ("3.11", "3.12", "3.13")
_SYSTEMS = (
    ("linux", "Linux", "posix", "x86_64"),
    ("linux", "Linux", "posix", "aarch64"),
    ("darwin", "Darwin", "posix", "arm64"),
    ("win32", "Windows", "nt", "AMD64"),
)


@dataclass(frozen=True, slots=True)
class Pin:
    """One line of `constraints.txt`."""

    name: str
    """As the file spells it."""
    version: str


def read_pins(path: Path = ROOT / "constraints.txt") -> dict[str, Pin]:
    """Returns the pin of each package, by its normalised name."""
    pins: dict[str, Pin] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        name, equal, version = line.partition("==")
        if equal and not line.startswith("#"):
            pins[canonicalize_name(name)] = Pin(name, version.strip())
    return pins


def extras() -> tuple[str, ...]:
    """Returns the names of the project's extras."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        return tuple(tomllib.load(file)["project"]["optional-dependencies"])


def needed_packages() -> dict[str, tuple[str, ...]]:
    """Returns the extras that need each package, by its normalised name.

    A package that `BASE` needs is needed by every extra, so it has no other; `TOOLS` comes last.
    """
    needed: dict[str, tuple[str, ...]] = dict.fromkeys(closure(), (BASE,))
    for extra in sorted(extras(), key=lambda name: (name == TOOLS, name)):
        for name in closure(extra):
            users = needed.get(name, ())
            # The tools include the other extras, which are the better reason.
            if BASE not in users and not (extra == TOOLS and users):
                needed[name] = (*users, extra)
    return dict(sorted(needed.items()))


def shipped_packages() -> dict[str, tuple[str, ...]]:
    """Returns the extras that need each package, without packages that only `UNSHIPPED` need."""
    shipped = {}
    for name, users in needed_packages().items():
        if not UNSHIPPED.issuperset(users):
            shipped[name] = users
    return shipped


def closure(extra: str = "") -> frozenset[str]:
    """Returns every package that the project with one extra needs, on any system."""
    waiting = [(PROJECT, frozenset({extra} - {""}))]
    seen = set(waiting)
    while waiting:
        for requirement in requirements(*waiting.pop()):
            step = (canonicalize_name(requirement.name), frozenset(requirement.extras))
            if step not in seen:
                seen.add(step)
                waiting.append(step)
    return frozenset(name for name, _ in seen) - {PROJECT}


def requirements(name: str, wanted: frozenset[str] = frozenset()) -> Iterator[Requirement]:
    """Yields what an installed package requires with these extras; nothing if it is missing."""
    for requirement in _described(name):
        if _applies(requirement, wanted) and not _CUDA.match(requirement.name):
            yield requirement


@cache
def _described(name: str) -> tuple[Requirement, ...]:
    try:
        lines = distribution(name).requires or []
    except PackageNotFoundError:
        return ()
    return tuple(map(Requirement, lines))


def _applies(requirement: Requirement, wanted: frozenset[str]) -> bool:
    return requirement.marker is None or _holds_somewhere(str(requirement.marker), wanted)


@cache
def _holds_somewhere(text: str, wanted: frozenset[str]) -> bool:
    """Returns whether a marker holds on one of the systems, with one of the extras."""
    marker = Marker(text)
    for environment in _environments():
        for extra in wanted or {""}:
            if marker.evaluate({**environment, "extra": extra}):
                return True
    return False


def _environments() -> Iterator[dict[str, Any]]:
    """Yields the values of markers for each system and Python that the project runs on."""
    for python in _PYTHONS:
        for platform, system, name, machine in _SYSTEMS:
            yield {
                "python_version": python,
                "python_full_version": f"{python}.0",
                "implementation_version": f"{python}.0",
                "implementation_name": "cpython",
                "platform_python_implementation": "CPython",
                "sys_platform": platform,
                "platform_system": system,
                "os_name": name,
                "platform_machine": machine,
                "platform_release": "",
                "platform_version": "",
            }
