"""Everything that Footnote raises on purpose. Each message says what failed, on what, and what to do next.

FootnoteError             exit code 2: bad usage or bad data
├── DocumentError         a file that cannot be read as a document
├── QuestionFileError     a question file with bad lines, all of them named
├── RunError              an evaluation run that is not whole, or two that cannot be compared
├── IndexMismatchError    an index that was built with other settings
├── IndexDamagedError     an index folder that cannot be opened
└── BrokenError           exit code 3: something broke while running
    ├── NotWritableError  a folder that does not take writes
    └── ModelError        a model that cannot be loaded
        └── LanguageModelError  a language model that gave no answer, or broke off in one
            └── StoppedError    the person stopped it

Only the entry points (`qa.cli`, `eval.__main__`, the page) catch these and print them without a traceback.
"""


class FootnoteError(Exception):
    """The base of all; bad usage or bad data."""

    exit_code = 2


class DocumentError(FootnoteError):
    """A file that cannot be read: missing, empty, of another kind, damaged, encrypted, too large; names the file."""


class QuestionFileError(FootnoteError):
    """A question file with bad lines; the message lists every one with its number."""


class RunError(FootnoteError):
    """An evaluation run that is not there, was cut off or is damaged; two that cannot be compared."""


class IndexMismatchError(FootnoteError):
    """An index built with another embedding model, splitter or schema; names the command that rebuilds it."""


class IndexDamagedError(FootnoteError):
    """An index folder that cannot be opened; says how to move it away and begin anew."""


class BrokenError(FootnoteError):
    """Something that is neither the person's input nor their data."""

    exit_code = 3


class NotWritableError(BrokenError):
    """A folder that does not take writes: read-only or full."""


class ModelError(BrokenError):
    """A model that cannot be loaded; names what to install or set."""


class LanguageModelError(ModelError):
    """A language model that gave no answer, or broke off in one.

    `streamed`: its words up to then, clean: without what a reader is not to see.
    """

    def __init__(self, message: str, streamed: str = "") -> None:
        super().__init__(message)
        self.streamed = streamed


class StoppedError(LanguageModelError):
    """The person stopped the answer."""
