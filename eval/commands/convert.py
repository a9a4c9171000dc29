"""`python -m eval convert FORMAT PATH --out DIR`: other people's questions as documents and a question file."""

import argparse
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from eval.commands.shared import Commands
from eval.formats import FORMATS

if TYPE_CHECKING:
    from eval.formats import Options


def add(commands: "Commands[argparse.ArgumentParser]", common: argparse.ArgumentParser) -> None:
    formats = "\n".join(f"  {name:12} {format.what}" for name, format in FORMATS.items())
    parser = commands.add_parser(
        "convert",
        parents=[common],
        help="other people's question sets as documents and questions of ours",
        epilog=f"formats:\n{formats}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("format", metavar="FORMAT", choices=FORMATS, help="one of those below")
    parser.add_argument("path", metavar="PATH", type=Path)
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="a new folder")
    add_options(parser)
    parser.set_defaults(command=_convert)


def add_options(parser: argparse.ArgumentParser, documents: bool = True) -> None:
    """What else a format may take. `documents`: False where the command has that argument already."""
    if documents:
        parser.add_argument(
            "--documents", metavar="PATH", type=Path, nargs="+", action="extend", help="your own"
        )
    parser.add_argument(
        "--columns", metavar="FIELD=COLUMN", nargs="+", action="extend", help="csv: what is where"
    )
    parser.add_argument(
        "--separator", metavar="TEXT", help="csv: between the answers of one cell; default: |"
    )
    parser.add_argument("--qrels", metavar="NAME", help="beir, trec: which file of judgements")


def options_of(arguments: argparse.Namespace) -> "Options":
    """The arguments of `add_options`. Raises FootnoteError for columns that are not."""
    from eval.formats import Options
    from eval.formats.csv_table import columns

    return Options(
        documents=tuple(arguments.documents or ()),
        columns=columns(arguments.columns or ()),
        separator=arguments.separator or "",
        qrels=arguments.qrels or "",
    )


def _convert(arguments: argparse.Namespace) -> int:
    """Prints what was read, what was left out, and how to ask it."""
    from eval.formats import read
    from eval.formats.write import DOCUMENTS, QUESTIONS, write

    out: Path = arguments.out
    found = read(arguments.format, arguments.path, options_of(arguments))
    write(found, out)
    answerable = sum(question.answerable for question in found.questions)
    print(f"documents  {len(found.documents):,}")
    print(f"questions  {len(found.questions):,}, of which {answerable:,} are answerable")
    for note in found.notes:
        print(note)
    questions, documents = (quote(str(out / name)) for name in (QUESTIONS, DOCUMENTS))
    print(f"To ask them: python -m eval run --questions {questions} --documents {documents}")
    return 0
