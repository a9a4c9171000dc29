"""The errors that Footnote raises on purpose. Each message: what failed, the cause, the next step.

FootnoteError             exit code 2: invalid usage or invalid data
├── DocumentError         a file that cannot be read as a document
├── QuestionFileError     a question file with invalid lines
├── RunError              an evaluation run that is incomplete or cannot be compared
├── IndexMismatchError    an index that was built with other settings
├── IndexDamagedError     an index folder that cannot be opened
└── BrokenError           exit code 3: something failed while running
    ├── NotWritableError  a folder that cannot be written to
    │   └── DiskFullError a disk without space
    └── ModelError        a model that cannot be loaded
        └── LanguageModelError  a language model that failed before or during its answer
            └── StoppedError    the person stopped the answer

The entry points (`qa.cli`, `eval.__main__`, the page) print these errors without a traceback.
The two workers of the page store them with their question or job. `qa.documents.load.load` collects
a DocumentError for each file that it cannot read.
"""


class FootnoteError(Exception):
    """The base of all errors of this project; also raised for invalid usage."""

    exit_code = 2


class DocumentError(FootnoteError):
    """A file that cannot be read: missing, empty, damaged, encrypted, too large or unsupported."""


class QuestionFileError(FootnoteError):
    """A question file with invalid lines; the message lists each line with its number."""


class RunError(FootnoteError):
    """An evaluation run that is missing, incomplete or damaged, or that cannot be compared."""


class IndexMismatchError(FootnoteError):
    """An index built with another embedding model, splitter or schema; names `rebuild`."""


class IndexDamagedError(FootnoteError):
    """An index folder that cannot be opened; the message says how to start again."""


class BrokenError(FootnoteError):
    """A failure that neither the person's input nor their data caused."""

    exit_code = 3


class NotWritableError(BrokenError):
    """A folder that cannot be written to: read-only or full."""


class DiskFullError(NotWritableError):
    """A disk without space; what was there before is still there."""


class ModelError(BrokenError):
    """A model that cannot be loaded; the message names what to install or set."""


class LanguageModelError(ModelError):
    """A language model that failed before or during its answer.

    `streamed` is what the model had written, as plain text without citation markers.
    """

    def __init__(self, message: str, streamed: str = "") -> None:
        super().__init__(message)
        self.streamed = streamed


class StoppedError(LanguageModelError):
    """The person stopped the answer."""
