"""Makes claims about rows of public tables, some that the rows support and some that they do not.

A claim says what a row has in a column. It is made wrong by the words of another row or of another
column, which is how small language models misread tables. Sentences that people wrote about a table
(FeTaQA, Nan et al. 2022) are claims too, over their own rows and over other rows.
"""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from qa.training.changes import changed
from qa.training.claims import TrainingClaim
from qa.training.sources import Part

TABLES, QUESTIONS = "tables/tables.jsonl", "tables/questions.jsonl"
TABLE_FILES = (TABLES, QUESTIONS)
"""Files below the data folder."""
REPORT_EVERY = 8
"""Of the tables in order, every how many-th is reported on."""
MAX_ROWS = 3
"""Rows of evidence."""
MAX_CELL_CHARACTERS = 60
MAX_COLUMNS = 8
"""Columns of a row that are shown, from the first."""
_TEMPLATES = (
    "The {column} of {key} is {cell}.",
    "The {column} for {key} was {cell}.",
    "{key} has {cell} as its {column}.",
    "For {key}, the {column} is {cell}.",
    "{key}: {column} {cell}.",
    "What is the {column} of {key}? {cell}.",
)


@dataclass(frozen=True, slots=True)
class Table:
    """A table with the title of its page and section."""

    id: str
    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    part: Part


def read_tables(data: Path) -> dict[str, Table]:
    """Returns the tables below the data folder by id, each to train or to report on."""
    tables = {}
    lines = (data / TABLES).read_text(encoding="utf-8").splitlines()
    for place, line in enumerate(lines):
        row = json.loads(line)
        width = min(len(row["header"]), MAX_COLUMNS)
        title_parts = [part for part in (row["title"], row["section"]) if part]
        tables[row["id"]] = Table(
            id=row["id"],
            title=", ".join(title_parts),
            header=tuple(_one_line(name) for name in row["header"][:width]),
            rows=tuple(tuple(_one_line(cell) for cell in cells[:width]) for cells in row["rows"]),
            part="report" if place % REPORT_EVERY == 0 else "train",
        )
    return tables


def claims_of_rows(tables: Sequence[Table], seed: int) -> list[TrainingClaim]:
    """Returns, for each table that has names in its first column, a right claim and wrong ones."""
    rng = random.Random(seed)
    claims: list[TrainingClaim] = []
    for table in tables:
        claims += _of_a_row(table, rng)
    return claims


def claims_of_table_sentences(
    data: Path, tables: dict[str, Table], seed: int
) -> list[TrainingClaim]:
    """Returns sentences that people wrote about tables, over their own rows and over others."""
    rng = random.Random(seed)
    claims: list[TrainingClaim] = []
    for line in (data / QUESTIONS).read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        sentence = row.get("sentence")
        if sentence and row["table"] in tables:
            own_rows = sorted({place for place, _ in row["cells"]})
            claims += _of_sentence(sentence, tables[row["table"]], own_rows, rng)
    return claims


def _of_a_row(table: Table, rng: random.Random) -> Iterator[TrainingClaim]:
    if len(table.rows) < 2 or len(table.header) < 2:
        return
    place = rng.randrange(1, len(table.rows))
    row, row_before = table.rows[place], table.rows[place - 1]
    columns = []
    for column in range(1, len(row)):
        if _is_usable(row[column]) and table.header[column]:
            columns.append(column)
    if not columns or not _is_usable(row[0]) or row[0] == row_before[0]:
        return

    column = rng.choice(columns)
    shown = [place - 1, place] if rng.random() < 0.5 else [place]
    evidence = _shown(table, shown, rng)

    def claim(cell: str, supported: bool) -> TrainingClaim:
        template = rng.choice(_TEMPLATES)
        text = template.format(column=table.header[column], key=row[0], cell=cell)
        return TrainingClaim("table rows", text, evidence, supported, table.part)

    yield claim(row[column], True)
    same_column = [cells[column] for cells in table.rows if cells[column] != row[column]]
    same_row = [row[neighbor] for neighbor in columns if row[neighbor] != row[column]]
    # The row before is in the evidence at times: its words are the likeliest mistake.
    likely = [row_before[column]] if row_before[column] != row[column] else []
    wrong_cells = [*likely, *same_row[:2], *same_column[:2]]
    usable = [cell for cell in wrong_cells if _is_usable(cell)]
    if usable:
        yield claim(rng.choice(usable), False)


def _of_sentence(
    sentence: str, table: Table, own_rows: Sequence[int], rng: random.Random
) -> Iterator[TrainingClaim]:
    if not own_rows or len(own_rows) > MAX_ROWS:
        return
    evidence = _shown(table, own_rows, rng)
    yield TrainingClaim("table sentences", sentence, evidence, True, table.part)

    other_rows = [place for place in range(len(table.rows)) if place not in own_rows]
    if other_rows and rng.random() < 0.5:
        chosen = rng.sample(other_rows, min(len(own_rows), len(other_rows)))
        other_evidence = _shown(table, sorted(chosen), rng)
        yield TrainingClaim("table sentences", sentence, other_evidence, False, table.part)
    context = " ".join(evidence)
    wrong = changed(sentence, context, rng)
    if wrong:
        yield TrainingClaim("table sentences", wrong, evidence, False, table.part)


def _shown(table: Table, places: Sequence[int], rng: random.Random) -> tuple[str, ...]:
    """Returns some rows as a person's document has them: with bars, or each cell with its name."""
    with_bars = rng.random() < 0.3
    evidence = []
    if table.title and rng.random() < 0.8:
        evidence.append(f"{table.title}.")
    if with_bars:
        evidence.append(_with_bars(table.header))
    for place in places:
        row = table.rows[place]
        evidence.append(_with_bars(row) if with_bars else _with_names(table.header, row, rng))
    return tuple(evidence)


def _with_bars(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _with_names(header: Sequence[str], row: Sequence[str], rng: random.Random) -> str:
    between = rng.choice([". ", "; ", ", "])
    named = []
    for name, cell in zip(header, row, strict=False):
        if cell:
            named.append(f"{name}: {cell}" if name else cell)
    return between.join(named) + "."


def _is_usable(cell: str) -> bool:
    return any(map(str.isalnum, cell)) and len(cell) <= MAX_CELL_CHARACTERS


def _one_line(text: str) -> str:
    return " ".join(text.split())
