"""How the training commands begin and end: one log on standard error, errors as one line and an exit code."""

import argparse
import logging
import sys
from collections.abc import Callable

from qa.config import share_processors
from qa.errors import FootnoteError


def run(parser: argparse.ArgumentParser, make: Callable[[argparse.Namespace], None]) -> int:
    """Parses the command line and makes what it asks for. Gives the exit code: 0 fine, else as in `qa.errors`."""
    options = parser.parse_args()
    share_processors()
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("qa").setLevel(logging.INFO)
    try:
        make(options)
    except FootnoteError as error:
        print(f"footnote: {error}", file=sys.stderr)
        return error.exit_code
    return 0
