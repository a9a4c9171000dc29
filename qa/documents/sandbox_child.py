"""The child process of the sandbox: reads one file from standard input, prints JSON, ends.

`qa.documents.sandbox` starts it as `python -m qa.documents.sandbox_child PARSER LIMITS`. A hostile
file can crash or fill only this process: it limits its own memory and time before it reads a byte,
cannot write to a file, and imports only what its parser needs.
"""

import importlib
import json
import sys
from contextlib import suppress
from dataclasses import fields
from typing import Any

from qa.documents.parsing import Limits, Unreadable


def main(parser: str, limits: Limits) -> None:
    """Prints the fields of what the parser returns, or {"error"}: why the file cannot be read."""
    _confine(limits)
    result = _parse(parser, limits)
    sys.stdout.buffer.write(json.dumps(result).encode())


def _parse(parser: str, limits: Limits) -> dict[str, Any]:
    try:
        # Only the parser that is needed is imported, so that the process starts at once.
        module = importlib.import_module(f"qa.documents.{parser}")
        parsed = module.parse(sys.stdin.buffer.read(), limits)
        return {field.name: getattr(parsed, field.name) for field in fields(parsed)}
    except Unreadable as reason:
        return {"error": str(reason)}
    except MemoryError:
        memory = f"{limits.memory / 2**30:.1f} GB of memory"
        return {"error": f"takes more than {memory} to read. Split it into smaller files."}
    except RecursionError:
        return {"error": "is nested too deeply to be read. Save it again in another program."}


def _confine(limits: Limits) -> None:
    """Limits this process where the platform can: Windows cannot, macOS does not limit memory."""
    if sys.platform == "win32":
        return
    import resource

    wanted = {
        resource.RLIMIT_CPU: limits.seconds,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_AS: limits.memory,
    }
    # macOS refuses a limit of address space below what a process has mapped from its start.
    refusals = (ValueError, OSError) if sys.platform == "darwin" else ()
    for kind, limit in wanted.items():
        hard = resource.getrlimit(kind)[1]
        soft = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        with suppress(*refusals):
            resource.setrlimit(kind, (soft, hard))


if __name__ == "__main__":
    main(sys.argv[1], Limits(**json.loads(sys.argv[2])))
