"""The SBOM that is made with the wheel."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.utils import canonicalize_name

from tests.checks.dependencies import BASE, ROOT, read_pins, shipped_packages
from tests.checks.licences import licence_of
from tests.checks.sbom import main

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The SBOM next to a wheel."""
    folder = tmp_path_factory.mktemp("dist")
    (folder / "footnote_qa-0.1.0-py3-none-any.whl").write_bytes(b"")
    assert main([str(folder)]) == 0
    return (folder / "footnote_qa-0.1.0.cdx.json").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def sbom(text: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def test_sbom_is_valid(text: str) -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None


def test_sbom_describes_the_wheel(sbom: dict[str, Any]) -> None:
    project = sbom["metadata"]["component"]
    assert project["purl"] == "pkg:pypi/footnote-qa@0.1.0"
    assert project["licenses"][0]["license"]["id"] == "MIT"


def test_sbom_has_every_package_that_runs(sbom: dict[str, Any]) -> None:
    """Each with its pinned version, its licence, its purl, and whether an extra needs it."""
    pins = read_pins()
    components = {canonicalize_name(part["name"]): part for part in sbom["components"]}
    needed = shipped_packages()
    # Only packages for other systems are not installed here.
    assert needed.keys() - components.keys() <= {"tzdata", "uvloop", "watchdog", "colorama"}
    assert components.keys() <= needed.keys()
    assert len(components) > 100
    for name, component in components.items():
        assert component["version"] == pins[name].version
        assert component["licenses"] == [{"expression": licence_of(name)}]
        assert component["purl"] == f"pkg:pypi/{name}@{pins[name].version}"
        assert component["scope"] == ("required" if BASE in needed[name] else "optional")


def test_sbom_says_which_package_needs_which(sbom: dict[str, Any]) -> None:
    graph = {entry["ref"]: set(entry["dependsOn"]) for entry in sbom["dependencies"]}
    references = {component["bom-ref"] for component in sbom["components"]}
    assert graph.keys() == references | {"pkg:pypi/footnote-qa"}
    assert set().union(*graph.values()) <= references
    pins = read_pins()
    httpx, core = (f"pkg:pypi/{name}@{pins[name].version}" for name in ("httpx", "httpcore"))
    assert core in graph[httpx]


def test_sbom_names_no_path_and_no_private_address(text: str) -> None:
    """It is published: nothing of the machine that made it may be in it."""
    assert str(ROOT) not in text
    assert str(Path.home()) not in text
    assert "file:" not in text
    hosts = set(re.findall(r"[a-z][a-z0-9+.-]*://([^/\"\s]+)", text))
    assert not [host for host in hosts if "." not in host or "@" in host or ":" in host]
    assert not re.search(r"\b(localhost|127\.0\.0\.1|10\.\d+\.\d+\.\d+|192\.168\.)", text)


def test_sbom_without_a_wheel_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"{tmp_path} has 0 wheels. Build one: make dist\n"
