"""The checks of packages: every package is pinned, and none requires a GPL."""

from typing import Any

import pytest

from tests.checks import dependencies, licences, pins
from tests.checks.dependencies import (
    BASE,
    TOOLS,
    Pin,
    needed_packages,
    read_pins,
    shipped_packages,
)
from tests.checks.licences import PAGE, Row, UnknownLicence, forbidden, licence_of


def test_pins_cover_every_extra() -> None:
    """Authlib, which only the extra [openid] needs, once had no pin."""
    assert list(pins.check(read_pins())) == []
    assert needed_packages()["authlib"] == ("openid",)


def test_pins_missing_and_unused_are_reported() -> None:
    lines = read_pins()
    del lines["authlib"]
    lines["codespell"] = Pin("codespell", "2.4.3")
    missing, unused = pins.check(lines)
    assert missing.startswith("authlib is not pinned. Add authlib==")
    assert unused == "nothing needs codespell. Remove the line."


def test_pins_outside_a_range_are_reported() -> None:
    lines = {**read_pins(), "chromadb": Pin("chromadb", "2.0")}
    problems = list(pins.check(lines))
    assert any("but 1." in problem for problem in problems)
    assert any("footnote-qa requires chromadb<2,>=1.5" in problem for problem in problems)


def test_needed_packages_name_the_smallest_extra() -> None:
    """The tools include every extra; a package of the base is needed by all of them."""
    needed = needed_packages()
    assert needed["httpx"] == needed["tzdata"] == (BASE,)
    assert needed["pytest"] == (TOOLS,)
    assert needed["openai"] == ("openai", "openai-like")
    assert not [name for name in needed if name.startswith(("nvidia", "footnote"))]


def test_shipped_packages_are_without_tools_and_test_servers() -> None:
    """A wheel brings no test tool, and no server of language models for the tests."""
    assert needed_packages()["xllamacpp"] == ("real-model",)
    shipped = shipped_packages()
    assert needed_packages()["datasets"] == ("training",)
    assert not {"pytest", "xllamacpp", "datasets", "accelerate"} & shipped.keys()
    assert shipped["openai"] == ("openai", "openai-like")


def test_needed_packages_follow_markers_of_other_systems(monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows pandas needs tzdata: the result is the same on a machine without it."""
    from importlib.metadata import PackageNotFoundError, distribution

    def without_tzdata(name: str) -> Any:
        if name == "tzdata":
            raise PackageNotFoundError(name)
        return distribution(name)

    before = needed_packages()
    monkeypatch.setattr(dependencies, "distribution", without_tzdata)
    dependencies._described.cache_clear()
    assert needed_packages() == before


@pytest.mark.parametrize(
    "licence",
    ["GPL-3.0-or-later", "AGPL-3.0-only", "MIT AND GPL-2.0-only", "GPL-2.0-only OR AGPL-3.0-only"],
)
def test_forbidden_gpl_is_reported(licence: str) -> None:
    (problem,) = forbidden([Row("tool", licence, ("dev",))])
    assert problem == f"tool has the licence {licence}. Remove it from: dev."


@pytest.mark.parametrize(
    "licence",
    [
        "MPL-1.1 OR GPL-2.0-only OR LGPL-2.1-or-later",
        "LGPL-2.1-or-later",
        "MIT AND GPL-3.0-or-later WITH GCC-exception-3.1",
    ],
)
def test_forbidden_choice_and_exception_are_allowed(licence: str) -> None:
    assert list(forbidden([Row("tool", licence, ("base",))])) == []


class Described(dict[str, str]):
    """The metadata of a package, from its fields."""

    @property
    def metadata(self) -> "Described":
        return self

    def get_all(self, name: str) -> list[str] | None:
        return self[name].splitlines() if name in self else None


@pytest.mark.parametrize(
    ("fields", "licence"),
    [
        ({"License-Expression": "mit or apache-2.0", "License": "BSD"}, "MIT OR Apache-2.0"),
        ({"License": "Apache License, Version 2.0"}, "Apache-2.0"),
        ({"License": "MIT License\n\nPermission is hereby granted"}, "MIT"),
        ({"Classifier": "License :: OSI Approved :: ISC License (ISCL)"}, "ISC"),
    ],
)
def test_licence_of_reads_every_field(
    fields: dict[str, str], licence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(licences, "distribution", lambda _: Described(fields))
    assert licence_of("tool") == licence


UNCLEAR: tuple[dict[str, str], ...] = (
    {},
    {"License": "Dual License"},
    {"Classifier": "License :: OSI Approved :: BSD License"},
    {"Classifier": "License :: A :: MIT License\nLicense :: B :: Apache Software License"},
    {"License-Expression": "MIT AND NO-SUCH-LICENCE"},
)


@pytest.mark.parametrize("fields", UNCLEAR)
def test_licence_of_unclear_metadata_is_refused(
    fields: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person reads the licence file: nothing is guessed."""
    monkeypatch.setattr(licences, "distribution", lambda _: Described(fields))
    with pytest.raises(UnknownLicence):
        licence_of("tool")


def test_licences_page_is_up_to_date() -> None:
    assert licences.main([]) == 0
    assert "tld | MPL-1.1 OR GPL-2.0-only OR LGPL-2.1-or-later | base" in PAGE.read_text()
