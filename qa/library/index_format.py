"""The format of a library: its schema, and what its passages were built with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

from qa.documents.passages import passage_size, splitter_name
from qa.library.stored_sentences import SEGMENTATION
from qa.models.embedding import Embedder

SCHEMA = "3"
"""The form in which a library is stored. 3: passages have the sentences that begin in them."""


@dataclass(frozen=True, slots=True)
class IndexFormat:
    """What a library is built with; None for a value that is not known.

    The names of the fields are the keys of the stored metadata.
    """

    schema: str | None
    chunking: str | None = None
    """The names of the splitter and of the segmentation."""
    embedding: str | None = None
    """The name of the embedding model."""
    dimension: int | None = None
    """The length of its vectors."""

    @classmethod
    def of_embedder(cls, embedder: Embedder | None) -> Self:
        """Returns the format that this installation writes; without an embedder, its schema."""
        if embedder is None:
            return cls(SCHEMA)
        splitter = splitter_name(passage_size(embedder.limit))
        return cls(
            schema=SCHEMA,
            chunking=f"{splitter}, {SEGMENTATION}",
            embedding=embedder.name,
            dimension=embedder.dimension,
        )

    @classmethod
    def of_metadata(cls, metadata: Mapping[str, Any]) -> Self:
        """Returns the format that the metadata of a collection of passages names."""
        return cls(
            schema=metadata.get("schema"),
            chunking=metadata.get("chunking"),
            embedding=metadata.get("embedding"),
            dimension=metadata.get("dimension"),
        )

    @property
    def metadata(self) -> dict[str, Any]:
        """The known values, as the collection of passages stores them."""
        values = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None:
                values[field.name] = value
        return values

    @property
    def is_of_later_version(self) -> bool:
        """Whether a later version of Footnote, with a later schema, has written the library."""
        schema = str(self.schema)
        return schema.isdecimal() and int(schema) > int(SCHEMA)

    def differences(self, stored: "IndexFormat") -> list[str]:
        """Returns the fields whose value is known here and is not that of the stored format."""
        stored_values = stored.metadata
        return [name for name, value in self.metadata.items() if stored_values.get(name) != value]

    def described(self, names: Sequence[str]) -> str:
        """Returns these fields with their values, for a message."""
        return ", ".join(f"{name} {getattr(self, name)}" for name in names)
