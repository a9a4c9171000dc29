"""`python -m eval report RUN...`: runs as a page to look at, as a table, and as results for continuous integration."""

import argparse
import sys
from pathlib import Path

from eval.commands.shared import Commands
from eval.results import REPORT, RESULTS, RUN, SUMMARY


def add(commands: "Commands[argparse.ArgumentParser]", common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "report", parents=[common], help="one page of HTML of one run or several; CSV and JUnit XML"
    )
    parser.add_argument(
        "runs", metavar="RUN", type=Path, nargs="+", help="a run, or a folder of runs"
    )
    parser.add_argument(
        "--out",
        metavar="FILE",
        type=Path,
        help="default: RUN/report.html, of several report.html here",
    )
    parser.add_argument(
        "--csv", metavar="FILE", type=Path, help="also a row for each question and run"
    )
    parser.add_argument(
        "--junit", metavar="FILE", type=Path, help="also a test case for each question and run"
    )
    parser.set_defaults(command=_report)


def _report(options: argparse.Namespace) -> int:
    """Writes what was asked for; of files that are there, only such as this command writes are written over."""
    from eval.report.cases import read_seen
    from eval.report.export import CSV, JUNIT, as_csv, as_junit, write
    from eval.report.html import HTML, page, run_names

    seen = [read_seen(folder) for given in options.runs for folder in _folders(given)]
    names = run_names(seen)
    page_at = options.out or (options.runs[0] / REPORT if len(options.runs) == 1 else Path(REPORT))
    files = [(page_at, page(seen), HTML)]
    if options.csv is not None:
        files.append((options.csv, as_csv(seen, names), CSV))
    if options.junit is not None:
        files.append((options.junit, as_junit(seen, names), JUNIT))
    write(files)
    for path, _, _ in files:
        print(f"Written to {path}", file=sys.stderr)
    return 0


def _folders(given: Path) -> list[Path]:
    """The folder itself, or the runs in it where it is none: of several configurations, of a sweep over both splits."""
    if any((given / name).is_file() for name in (SUMMARY, RUN, RESULTS)):
        return [given]
    found = {
        file.parent
        for name in (SUMMARY, RUN)
        for deep in ("*", "*/*")
        for file in given.glob(f"{deep}/{name}")
    }
    return sorted(found) or [given]
