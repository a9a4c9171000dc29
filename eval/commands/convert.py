"""`footnote eval convert FORMAT PATH --out DIR`: convert another format into files of ours."""

import argparse
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from eval.commands.shared import Commands
from eval.formats import FORMATS

if TYPE_CHECKING:
    from eval.formats import ImportOptions


def add(commands: "Commands[argparse.ArgumentParser]", common: argparse.ArgumentParser) -> None:
    formats = "\n".join(f"  {name:12} {format.what}" for name, format in FORMATS.items())
    parser = commands.add_parser(
        "convert",
        parents=[common],
        help="convert a question set of another format into documents and a question file",
        epilog=f"formats:\n{formats}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("format", metavar="FORMAT", choices=FORMATS, help="a format listed below")
    parser.add_argument("path", metavar="PATH", type=Path)
    parser.add_argument(
        "--out", metavar="DIR", type=Path, required=True, help="write to a new folder DIR"
    )
    add_options(parser)
    parser.set_defaults(command=_convert)


def add_options(parser: argparse.ArgumentParser, documents: bool = True) -> None:
    """Adds the options of formats. `documents`: False if the command has that argument already."""
    if documents:
        parser.add_argument(
            "--documents",
            metavar="PATH",
            type=Path,
            nargs="+",
            action="extend",
            help="use these documents for a set that has none",
        )
    parser.add_argument(
        "--columns",
        metavar="FIELD=COLUMN",
        nargs="+",
        action="extend",
        help="csv: read FIELD from COLUMN",
    )
    parser.add_argument(
        "--separator", metavar="TEXT", help="csv: split the answers of a cell at TEXT; default: |"
    )
    parser.add_argument("--qrels", metavar="NAME", help="beir, trec: read the judgements of NAME")


def options_of(arguments: argparse.Namespace) -> "ImportOptions":
    """Returns the arguments of `add_options`. Raises FootnoteError for invalid columns."""
    from eval.formats import ImportOptions
    from eval.formats.csv_table import columns

    return ImportOptions(
        documents=tuple(arguments.documents or ()),
        columns=columns(arguments.columns or ()),
        separator=arguments.separator or "",
        qrels=arguments.qrels or "",
    )


def _convert(arguments: argparse.Namespace) -> int:
    """Prints what was read, what was left out, and how to ask the questions."""
    from eval.formats import read
    from eval.formats.write import DOCUMENTS, QUESTIONS, write

    out: Path = arguments.out
    converted = read(arguments.format, arguments.path, options_of(arguments))
    write(converted, out)
    # Counts to compare with what the set says of itself: a reader may leave out a part.
    answerable = sum(question.answerable for question in converted.questions)
    print(f"documents  {len(converted.documents):,}")
    print(f"questions  {len(converted.questions):,}, of which {answerable:,} are answerable")
    for note in converted.notes:
        print(note)
    # Quoted, so that the command can be pasted whatever the folder is called.
    questions = quote(str(out / QUESTIONS))
    documents = quote(str(out / DOCUMENTS))
    print(f"To ask them: footnote eval run --questions {questions} --documents {documents}")
    return 0
