"""`footnote eval check FILE`: report everything wrong with a question file, with line numbers."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from eval.commands.shared import QUESTIONS, Commands, read_documents, seeds_folder
from qa.errors import QuestionFileError
from qa.terminal import json_for_terminal, visible_line

if TYPE_CHECKING:
    from eval.check import CheckResult

HEADINGS = {"wrong": "Wrong:", "warning": "Warnings:", "note": "About the whole set:"}


def add(commands: "Commands[argparse.ArgumentParser]", common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "check", parents=[common], help="report everything that is wrong with a question file"
    )
    parser.add_argument(
        "file",
        metavar="FILE",
        type=Path,
        nargs="?",
        default=QUESTIONS,
        help="default: the project's own",
    )
    parser.add_argument(
        "--documents",
        metavar="PATH",
        type=Path,
        nargs="+",
        action="extend",
        help="look for the evidence in these documents; default: seeds/",
    )
    parser.add_argument("--strict", action="store_true", help="exit with 2 for warnings too")
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    parser.set_defaults(command=_check)


def _check(options: argparse.Namespace) -> int:
    """Prints the findings. Returns exit code 2 if something is wrong."""
    from eval.check import check

    documents, failures = read_documents(options.documents or [seeds_folder()])
    result = check(options.file, documents, failures)
    passed = result.passes(options.strict)
    if options.json:
        content = {"file": str(options.file), "passed": passed, **result.as_json()}
        print(json_for_terminal(content, indent=1))
    else:
        _print(options.file, result)
    return 0 if passed else QuestionFileError.exit_code


def _print(file: Path, result: "CheckResult") -> None:
    from eval.check import LEVELS

    count = len(result.questions)
    answerable = sum(question.answerable for question in result.questions)
    unit = "line" if count == 1 else "lines"
    print(f"{file}: {count} good {unit}, {answerable} answerable")
    for level in LEVELS:
        findings = result.at(level)
        # A heading without findings would read like a finding.
        if findings:
            print(f"\n{HEADINGS[level]}")
        for finding in findings:
            # A finding about the whole set has no line.
            prefix = f"line {finding.line}: " if finding.line else ""
            print(f"  {prefix}{visible_line(finding.words)}")
    if not result.at("wrong"):
        print("\nNothing is wrong.")
