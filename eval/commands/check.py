"""`python -m eval check FILE`: everything that is wrong with a question file, with line numbers."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from eval.commands.shared import QUESTIONS, Commands, seeds_folder
from qa.errors import QuestionFileError
from qa.terminal import visible_line

if TYPE_CHECKING:
    from eval.check import Checked

HEADINGS = {"wrong": "Wrong:", "warning": "Worth a second look:", "note": "Of the set as a whole:"}


def add(commands: "Commands[argparse.ArgumentParser]", common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "check", parents=[common], help="tell everything that is wrong with a question file"
    )
    parser.add_argument(
        "file", metavar="FILE", type=Path, nargs="?", default=QUESTIONS, help="default: our own"
    )
    parser.add_argument(
        "--documents", metavar="PATH", type=Path, nargs="+", action="extend", help="default: seeds/"
    )
    parser.add_argument("--strict", action="store_true", help="exit 2 for warnings too")
    parser.add_argument("--json", action="store_true", help="print what was found as JSON")
    parser.set_defaults(command=_check)


def _check(options: argparse.Namespace) -> int:
    """Prints what was found; 2 where something is wrong."""
    from eval.check import check
    from qa.documents.load import load

    loaded = load(options.documents or [seeds_folder()])
    checked = check(options.file, loaded.documents, loaded.failures)
    passed = checked.passes(options.strict)
    if options.json:
        told = {"file": str(options.file), "passed": passed, **checked.as_json()}
        json.dump(told, sys.stdout, ensure_ascii=False, indent=1)
        print()
    else:
        _print(options.file, checked)
    return 0 if passed else QuestionFileError.exit_code


def _print(file: Path, checked: "Checked") -> None:
    from eval.check import LEVELS

    count = len(checked.questions)
    answerable = sum(question.answerable for question in checked.questions)
    print(f"{file}: {count} good {'line' if count == 1 else 'lines'}, {answerable} answerable")
    for level in LEVELS:
        if found := checked.at(level):
            print(f"\n{HEADINGS[level]}")
        for finding in found:
            place = f"line {finding.line}: " if finding.line else ""
            print(f"  {place}{visible_line(finding.words)}")
    if not checked.at("wrong"):
        print("\nNothing is wrong.")
