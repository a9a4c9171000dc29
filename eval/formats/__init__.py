"""Question sets in other formats, read as documents and questions of ours.

`base` has the types. `parsing`, `canonical`, `paragraphs`, `quotes` and `relevance` are shared by
the readers of the formats. To add a format, write its file and add its row to `FORMATS`.
"""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from types import MappingProxyType

from eval.formats import beir, clapnq, csv_table, rag_dataset, squad, trec
from eval.formats.base import Format, ImportedSet, ImportOptions
from qa.errors import FootnoteError

__all__ = ["FORMATS", "Format", "ImportOptions", "ImportedSet", "read"]

FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        squad.NAME: squad.FORMAT,
        rag_dataset.NAME: rag_dataset.FORMAT,
        clapnq.NAME: clapnq.FORMAT,
        beir.NAME: beir.FORMAT,
        trec.NAME: trec.FORMAT,
        csv_table.NAME: csv_table.FORMAT,
    }
)


def read(name: str, path: Path, options: ImportOptions) -> ImportedSet:
    """Returns the set at `path`, read by the format of this name.

    Raises FootnoteError for an option that the format does not take, and what its reader raises.
    """
    chosen = FORMATS[name]
    for field in fields(options):
        is_given = bool(getattr(options, field.name))
        if is_given and field.name not in chosen.takes:
            raise FootnoteError(
                f"{name} does not take --{field.name}. Leave it out. {name} reads {chosen.what}."
            )
    return chosen.read(path, options)
