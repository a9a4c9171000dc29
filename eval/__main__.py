"""The command line: `footnote eval COMMAND`. Results on standard output, all else on the other.

Each command is a file of `eval.commands`. Nothing heavy is imported before a command is chosen.
"""

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence

from eval.commands import (
    check,
    claims,
    compare,
    convert,
    decision,
    draft,
    gate,
    judge,
    marks,
    peers,
    report,
    run,
    show,
    sweep,
    threshold,
)
from qa.config import share_processors
from qa.errors import BrokenError, FootnoteError
from qa.terminal import log_to_stderr, visible

INTERRUPTED = 130
CLOSED = 141
"""What shells report for an interrupted program, and for a program whose output nobody reads."""
COMMANDS = (
    run,
    report,
    show,
    compare,
    gate,
    sweep,
    threshold,
    decision,
    check,
    draft,
    convert,
    judge,
    claims,
    marks,
    peers,
)
"""Modules with a function `add`, in the order of `--help`."""
_log = logging.getLogger("eval")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code.

    0: fine. 1: a comparison or gate failed. 2: bad usage or bad data. 3: something broke.
    """
    options = _parser().parse_args(arguments)
    share_processors()
    log_to_stderr(logging.INFO if options.verbose else logging.ERROR, line="%(message)s")
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except FootnoteError as error:
        print(visible(f"footnote: {error}"), file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except (BrokenPipeError, SystemExit):
        # The reader of the output is gone. Rich exits with 1 then, which here means a failed gate.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLOSED
    except Exception:  # noqa: BLE001  # logged with its traceback
        # Python itself would exit with 1, which here means a failed comparison.
        _log.exception("footnote: unexpected error. Please report it.")
        return BrokenError.exit_code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="footnote eval", description="Measure how well Footnote answers."
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--verbose", action="store_true", help="log more to standard error")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add(commands, common)
    return parser


if __name__ == "__main__":
    sys.exit(main())
