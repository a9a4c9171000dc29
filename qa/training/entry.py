"""Begins and ends a training command: one log, errors as one line and an exit code."""

import argparse
import logging
import sys
from collections.abc import Callable

from qa.config import share_processors
from qa.errors import FootnoteError


def run_command(
    parser: argparse.ArgumentParser, command: Callable[[argparse.Namespace], None]
) -> int:
    """Parses the command line and runs the command. Returns the exit code, as in `qa.errors`."""
    options = parser.parse_args()
    share_processors()
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("qa").setLevel(logging.INFO)
    try:
        command(options)
    except FootnoteError as error:
        print(f"footnote: {error}", file=sys.stderr)
        return error.exit_code
    return 0
