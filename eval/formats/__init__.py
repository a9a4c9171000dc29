"""Other people's question sets, each read into documents and questions of ours.

`foreign` has the types; `files`, `texts`, `articles`, `quotes` and `judged` are what the readers share.
"""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from types import MappingProxyType

from eval.formats import beir, clapnq, csv_table, rag_dataset, squad, trec
from eval.formats.base import ForeignSet, Format, Options
from qa.errors import FootnoteError

__all__ = ["FORMATS", "ForeignSet", "Format", "Options", "read"]

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


def read(name: str, path: Path, options: Options) -> ForeignSet:
    """Raises FootnoteError for an option that the format does not take, otherwise what its reader raises."""
    chosen = FORMATS[name]
    given = [field.name for field in fields(options) if getattr(options, field.name)]
    if unused := [f"--{field}" for field in given if field not in chosen.takes]:
        raise FootnoteError(
            f"{name} does not take {', '.join(unused)}. Leave it out. It reads {chosen.what}."
        )
    return chosen.read(path, options)
