"""`footnote eval report RUN...`: writes runs as a page, a table, and test results."""

import argparse
import sys
from pathlib import Path

from eval.commands.shared import Commands
from eval.results import REPORT


def add(commands: "Commands[argparse.ArgumentParser]", common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "report",
        parents=[common],
        help="write one run or several as a page of HTML, as CSV, as JUnit XML",
    )
    parser.add_argument(
        "runs", metavar="RUN", type=Path, nargs="+", help="a run, or a folder of runs"
    )
    parser.add_argument(
        "--out",
        metavar="FILE",
        type=Path,
        help="default: RUN/report.html; for several runs report.html here",
    )
    parser.add_argument(
        "--csv", metavar="FILE", type=Path, help="also write a row for each question and run"
    )
    parser.add_argument(
        "--junit", metavar="FILE", type=Path, help="also write a test case for each of them"
    )
    parser.set_defaults(command=_report)


def _report(options: argparse.Namespace) -> int:
    """Writes the files. Of existing files, it overwrites only files that this command wrote."""
    from eval.report.details import read_details
    from eval.report.export import CSV, JUNIT, as_csv, as_junit, write_files
    from eval.report.folders import run_folders, run_names
    from eval.report.html import HTML, page

    folders: list[Path] = []
    for given in options.runs:
        # Reading a folder without any run raises an error that names it.
        folders += run_folders(given) or [given]
    runs = [read_details(folder) for folder in folders]
    names = run_names(folders)

    # A page of several runs belongs to none of their folders.
    default = options.runs[0] / REPORT if len(options.runs) == 1 else Path(REPORT)
    files = [(options.out or default, page(runs), HTML)]
    if options.csv is not None:
        files.append((options.csv, as_csv(runs, names), CSV))
    if options.junit is not None:
        files.append((options.junit, as_junit(runs, names), JUNIT))
    write_files(files)
    for path, _, _ in files:
        print(f"Written to {path}", file=sys.stderr)
    return 0
