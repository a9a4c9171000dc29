"""Write the SBOM of a wheel: what an installation brings with it, as CycloneDX 1.6 in JSON.

    python -m tests.checks.sbom dist

cyclonedx-py describes the whole environment. This keeps the packages that the wheel and its extras
need (packages of an extra are optional), with the licences of docs/licences.md and the versions of
constraints.txt. Each package is identified by its purl: no address that it came from is in the SBOM.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from tests.checks.dependencies import BASE, PROJECT, ROOT, Pin, read_pins, shipped_packages
from tests.checks.licences import licence_of

ROOT_REF = "root-component"
"""How cyclonedx-py names the project in its list of dependencies."""


def main(arguments: list[str]) -> int:
    """Writes the SBOM next to the only wheel in a folder; returns 1 if there is not one, else 0."""
    folder = Path(arguments[0])
    wheels = [*folder.glob("*.whl")]
    if len(wheels) != 1:
        print(f"{folder} has {len(wheels)} wheels. Build one: make dist", file=sys.stderr)
        return 1

    name, version = wheels[0].name.split("-")[:2]
    sbom = runtime_sbom(described_environment())
    out = folder / f"{name}-{version}.cdx.json"
    out.write_text(json.dumps(sbom, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(out)
    return 0


def described_environment() -> dict[str, Any]:
    """Returns the SBOM of every installed package, as cyclonedx-py writes it."""
    command = [sys.executable, "-m", "cyclonedx_py", "environment", sys.executable]
    # Reproducible: no time and no random number. Short: no address that a package came from.
    # A test validates what is written; here it would take twenty seconds, for links left out below.
    options = [
        "--pyproject",
        str(ROOT / "pyproject.toml"),
        "--output-reproducible",
        "--short-PURLs",
        "--no-validate",
    ]
    done = subprocess.run(
        [*command, *options, "--sv", "1.6", "--of", "JSON"], capture_output=True, check=True
    )
    sbom: dict[str, Any] = json.loads(done.stdout)
    return sbom


def runtime_sbom(environment: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the SBOM of the wheel, from the SBOM of the environment."""
    needed = shipped_packages()
    pins = read_pins()
    components = []
    references = {ROOT_REF: f"pkg:pypi/{PROJECT}"}
    for described in environment["components"]:
        name = canonicalize_name(described["name"])
        if name in needed:
            component = _component(described, pins[name], needed[name])
            references[described["bom-ref"]] = component["bom-ref"]
            components.append(component)

    project = {**environment["metadata"]["component"], "bom-ref": references[ROOT_REF]}
    project["purl"] = f"pkg:pypi/{PROJECT}@{project['version']}"
    dependencies = _dependencies(environment["dependencies"], references)
    return {
        **environment,
        "metadata": {**environment["metadata"], "component": project},
        "components": sorted(components, key=lambda component: str(component["bom-ref"])),
        "dependencies": sorted(dependencies, key=lambda entry: str(entry["ref"])),
    }


def _component(described: Mapping[str, Any], pin: Pin, users: tuple[str, ...]) -> dict[str, Any]:
    """Returns a package as the SBOM names it, with its pinned version."""
    name = canonicalize_name(described["name"])
    purl = f"pkg:pypi/{name}@{pin.version}"
    return {
        "type": "library",
        "bom-ref": purl,
        "name": described["name"],
        "version": pin.version,
        "description": described.get("description", ""),
        "scope": "required" if BASE in users else "optional",
        "licenses": [{"expression": licence_of(name)}],
        "purl": purl,
    }


def _dependencies(
    described: list[dict[str, Any]], references: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """Yields which package needs which, without the packages that are left out."""
    for entry in described:
        if entry["ref"] in references:
            needs = [references[ref] for ref in entry.get("dependsOn", ()) if ref in references]
            yield {"ref": references[entry["ref"]], "dependsOn": sorted(needs)}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
