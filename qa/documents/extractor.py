"""The short-lived process that reads one PDF, DOCX or HTML file: bytes on standard input, JSON on standard output.

`qa.documents.sandbox` starts it, as `python -m qa.documents.extractor KIND LIMITS`. A hostile file can crash or fill this process only:
it limits its own memory and time before it sees a byte, cannot write to a file, and imports nothing heavy.
"""

import json
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict

from qa.documents.extracted import Extracted, Limits, Unreadable


def main(kind: str, limits: Limits) -> None:
    """Writes {"text", "title", "pages"}, or {"error"}: why the file cannot be read, to follow its name."""
    _confine(limits)
    try:
        said = asdict(_reader(kind)(sys.stdin.buffer.read(), limits))
    except Unreadable as reason:
        said = {"error": str(reason)}
    except MemoryError:
        said = {"error": out_of_memory(limits)}
    except RecursionError:
        said = {"error": "is nested too deeply to be read. Save it anew in another program."}
    sys.stdout.buffer.write(json.dumps(said).encode())


def out_of_memory(limits: Limits) -> str:
    return f"takes more than {limits.memory / 2**30:.1f} GB of memory to read. Split it into smaller files."


def _reader(kind: str) -> Callable[[bytes, Limits], Extracted]:
    """Each kind's library is imported for that kind only, so that the process starts at once."""
    if kind == "pdf":
        from qa.documents.pdf import read_pdf

        return read_pdf
    if kind == "docx":
        from qa.documents.docx import read_docx

        return read_docx
    from qa.documents.html import read_html

    return read_html


def _confine(limits: Limits) -> None:
    """Where the platform has such limits: Windows has none, and macOS does not hold memory to them."""
    if sys.platform == "win32":
        return
    import resource

    wanted = {
        resource.RLIMIT_CPU: limits.seconds,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_AS: limits.memory,
    }
    for what, limit in wanted.items():
        hard = resource.getrlimit(what)[1]
        value = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        # macOS refuses a limit of address space below what a process has mapped from its start.
        with suppress(*([ValueError, OSError] if sys.platform == "darwin" else [])):
            resource.setrlimit(what, (value, hard))


if __name__ == "__main__":
    main(sys.argv[1], Limits(**json.loads(sys.argv[2])))
