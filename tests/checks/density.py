"""Measure how dense the code is, and fail when a package is over its budget.

    python -m tests.checks.density

A line of code with many syntax-tree nodes has to be decoded rather than read. Libraries that are
pleasant to read have 5 to 8 nodes per line of code, 1 to 2 comprehensions and 3 to 8 comments per
100 lines. A package that is over budget needs clearer code, not more line breaks.
"""

import ast
import io
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

PACKAGES = ("qa", "ui", "eval")
ROOT = Path(__file__).parents[2]

MOST_NODES_PER_LINE = 8.0
MOST_COMPREHENSIONS = 3.0
"""Per 100 lines of code."""
FEWEST_COMMENTS = 2.5
"""Per 100 lines of code."""

VAGUE_NAMES = frozenset("told found one own asked said made kept begun other others".split())
"""Names of variables and parameters that do not say what they hold."""

_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
_NOT_CODE = frozenset(
    {
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENDMARKER,
    }
)


@dataclass(slots=True)
class Density:
    """Counts over the files of one package."""

    files: int = 0
    lines: int = 0
    code_lines: int = 0
    """Lines that hold code: without blank lines, comments and docstrings."""
    nodes: int = 0
    comprehensions: int = 0
    comments: int = 0
    vague_names: list[str] = field(default_factory=list)
    """`path:line: name`."""
    classes: Counter[str] = field(default_factory=Counter)

    @property
    def nodes_per_line(self) -> float:
        return self.nodes / self.code_lines

    def per_100_lines(self, count: int) -> float:
        return 100 * count / self.code_lines

    def add(self, path: Path) -> None:
        """Counts one file."""
        source = path.read_text(encoding="utf-8")
        tree = ast.parse(source)
        docstrings = list(_docstrings(tree))
        self.files += 1
        self.lines += source.count("\n")
        self.nodes += sum(1 for _ in ast.walk(tree)) - 2 * len(docstrings)

        code_lines, comments = _code_lines(source)
        for docstring in docstrings:
            code_lines -= set(range(docstring.lineno, (docstring.end_lineno or 0) + 1))
        self.code_lines += len(code_lines)
        self.comments += comments

        for node in ast.walk(tree):
            self.comprehensions += isinstance(node, _COMPREHENSIONS)
            if isinstance(node, ast.ClassDef):
                self.classes[node.name] += 1
            name = _bound_name(node)
            if name in VAGUE_NAMES:
                place = f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
                self.vague_names.append(f"{place}: {name}")


def measure(package: str) -> Density:
    """Returns the counts of a package, over all its files."""
    density = Density()
    for path in sorted((ROOT / package).rglob("*.py")):
        density.add(path)
    return density


def main() -> int:
    """Prints a row per package and every problem; returns 1 if there is a problem, else 0."""
    problems = []
    classes: Counter[str] = Counter()
    print("package  files  lines  nodes/line  comprehensions  comments (per 100 lines)")
    for package in PACKAGES:
        density = measure(package)
        classes += density.classes
        comprehensions = density.per_100_lines(density.comprehensions)
        comments = density.per_100_lines(density.comments)
        print(
            f"{package:7}  {density.files:5}  {density.lines:5}  {density.nodes_per_line:10.1f}  "
            f"{comprehensions:14.1f}  {comments:8.1f}"
        )

        if density.nodes_per_line > MOST_NODES_PER_LINE:
            problems.append(f"{package}: more than {MOST_NODES_PER_LINE} nodes per line of code")
        if comprehensions > MOST_COMPREHENSIONS:
            problems.append(f"{package}: more than {MOST_COMPREHENSIONS} comprehensions per 100")
        if comments < FEWEST_COMMENTS:
            problems.append(f"{package}: fewer than {FEWEST_COMMENTS} comments per 100 lines")
        problems += [f"{place} says nothing of what it holds" for place in density.vague_names]

    for name, count in classes.items():
        if count > 1:
            problems.append(f"class {name} is defined {count} times: give each its own name")

    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


def _docstrings(tree: ast.Module) -> Iterator[ast.Expr]:
    for node in ast.walk(tree):
        if not isinstance(node, _DOCUMENTED) or not node.body:
            continue
        first = node.body[0]
        if ast.get_docstring(node, clean=False) is not None and isinstance(first, ast.Expr):
            yield first


def _code_lines(source: str) -> tuple[set[int], int]:
    """Returns the numbers of the lines that hold a token of code, and the number of comments."""
    lines: set[int] = set()
    comments = 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            comments += 1
        elif token.type not in _NOT_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    return lines, comments


def _bound_name(node: ast.AST) -> str | None:
    """Returns the name that a node assigns or declares as a parameter."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        return node.id
    if isinstance(node, ast.arg):
        return node.arg
    return None


if __name__ == "__main__":
    sys.exit(main())
