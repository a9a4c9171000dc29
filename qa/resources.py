"""What all questions share, whoever asks them and whatever answers."""

from dataclasses import dataclass

from qa.fair_lock import FairLock
from qa.library.index import Index
from qa.models.embedding import Embedder
from qa.reader.reader import Reader


@dataclass(frozen=True, slots=True)
class Resources:
    """The index, the models of this machine, and the lock with which questions take turns."""

    index: Index
    embedder: Embedder
    reader: Reader
    lock: FairLock
    """Held while a model of this machine works or the index is searched."""
