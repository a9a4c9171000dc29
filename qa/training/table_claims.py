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
from qa.training.sources import Part, part_of_index

TABLES, QUESTIONS = "tables/tables.jsonl", "tables/questions.jsonl"
TABLE_FILES = (TABLES, QUESTIONS)
"""Files below the data folder."""
REPORT_EVERY = 8
"""Of the tables in order, every how many-th is reported on; another one is fitted on."""
MAX_ROWS = 3
"""Rows of evidence."""
MAX_CELL_CHARACTERS = 60
MAX_WRONG_CELLS = 2
"""Cells of the same row, and of the same column, that a wrong claim may take its words from."""
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
    for index, line in enumerate(lines):
        raw = json.loads(line)
        title_parts = filter(None, (raw["title"], raw["section"]))
        header = _tidy_cells(raw["header"])
        rows = []
        for cells in raw["rows"]:
            tidy_row = _tidy_cells(cells[: len(header)])
            rows.append(tidy_row)
        part = part_of_index(index, REPORT_EVERY)
        table = Table(
            id=raw["id"],
            title=", ".join(title_parts),
            header=header,
            rows=tuple(rows),
            part=part,
        )
        tables[table.id] = table
    return tables


def _tidy_cells(cells: Sequence[str]) -> tuple[str, ...]:
    shown = cells[:MAX_COLUMNS]
    return tuple(map(_one_line, shown))


def claims_of_rows(tables: Sequence[Table], seed: int) -> list[TrainingClaim]:
    """Returns, for each table that has names in its first column, a right claim and wrong ones."""
    rng = random.Random(seed)
    claims: list[TrainingClaim] = []
    for table in tables:
        claims += _of_a_row(table, rng)
    return claims


def claims_of_table_sentences(
    data: Path,
    tables: dict[str, Table],
    seed: int,
) -> list[TrainingClaim]:
    """Returns sentences that people wrote about tables, over their own rows and over others."""
    rng = random.Random(seed)
    claims: list[TrainingClaim] = []
    for line in (data / QUESTIONS).read_text(encoding="utf-8").splitlines():
        question = json.loads(line)
        sentence = question.get("sentence")
        table = tables.get(question["table"])
        if not sentence or table is None:
            continue
        own_rows = {row_index for row_index, _ in question["cells"]}
        claims += _of_sentence(sentence, table, sorted(own_rows), rng)
    return claims


def _of_a_row(table: Table, rng: random.Random) -> Iterator[TrainingClaim]:
    row_count = len(table.rows)
    if row_count < 2 or len(table.header) < 2:
        return
    row_index = rng.randrange(1, row_count)
    row = table.rows[row_index]
    row_before = table.rows[row_index - 1]
    columns = _usable_columns(table, row)
    key = row[0]
    if not columns or not is_usable(key) or key == row_before[0]:
        return

    column = rng.choice(columns)
    shown_rows = [row_index]
    if rng.random() < 0.5:
        shown_rows = [row_index - 1, row_index]
    evidence = _shown(table, shown_rows, rng)

    def claim(cell: str, supported: bool) -> TrainingClaim:
        template = rng.choice(_TEMPLATES)
        name = table.header[column]
        text = template.format(column=name, key=key, cell=cell)
        return TrainingClaim("table rows", text, evidence, supported, table.part)

    right_cell = row[column]
    yield claim(right_cell, True)
    same_row = [row[neighbor] for neighbor in columns]
    same_column = [cells[column] for cells in table.rows]
    # The row before is in the evidence at times: its words are the likeliest mistake.
    candidates = [row_before[column]]
    candidates += _others(same_row, right_cell)[:MAX_WRONG_CELLS]
    candidates += _others(same_column, right_cell)[:MAX_WRONG_CELLS]
    wrong_cells = _others(candidates, right_cell)
    usable = list(filter(is_usable, wrong_cells))
    if usable:
        wrong_cell = rng.choice(usable)
        yield claim(wrong_cell, False)


def _usable_columns(table: Table, row: Sequence[str]) -> list[int]:
    """Returns the columns with a name and a short cell, but for the first one, which is the key."""
    columns = []
    for column, cell in enumerate(row):
        name = table.header[column]
        if column and name and is_usable(cell):
            columns.append(column)
    return columns


def _others(cells: Sequence[str], right_cell: str) -> list[str]:
    return [cell for cell in cells if cell != right_cell]


def _of_sentence(
    sentence: str,
    table: Table,
    own_rows: Sequence[int],
    rng: random.Random,
) -> Iterator[TrainingClaim]:
    if not own_rows or len(own_rows) > MAX_ROWS:
        return
    evidence = _shown(table, own_rows, rng)
    yield TrainingClaim("table sentences", sentence, evidence, True, table.part)

    other_rows = [index for index in range(len(table.rows)) if index not in own_rows]
    if other_rows and rng.random() < 0.5:
        count = min(len(own_rows), len(other_rows))
        chosen = rng.sample(other_rows, count)
        chosen.sort()
        other_evidence = _shown(table, chosen, rng)
        yield TrainingClaim("table sentences", sentence, other_evidence, False, table.part)
    context = " ".join(evidence)
    wrong = changed(sentence, context, rng)
    if wrong:
        yield TrainingClaim("table sentences", wrong, evidence, False, table.part)


def _shown(
    table: Table,
    row_indexes: Sequence[int],
    rng: random.Random,
) -> tuple[str, ...]:
    """Returns some rows as a person's document has them: with bars, or each cell with its name."""
    has_bars = rng.random() < 0.3
    evidence = []
    if table.title and rng.random() < 0.8:
        evidence.append(f"{table.title}.")
    if has_bars:
        header = _with_bars(table.header)
        evidence.append(header)
    for row_index in row_indexes:
        row = table.rows[row_index]
        written = _with_bars(row)
        named = _with_names(table.header, row, rng)
        evidence.append(written if has_bars else named)
    return tuple(evidence)


def _with_bars(cells: Sequence[str]) -> str:
    joined = " | ".join(cells)
    return f"| {joined} |"


def _with_names(
    header: Sequence[str],
    row: Sequence[str],
    rng: random.Random,
) -> str:
    between = rng.choice([". ", "; ", ", "])
    named = []
    for name, cell in zip(header, row, strict=False):
        if cell and name:
            named.append(f"{name}: {cell}")
        elif cell:
            named.append(cell)
    line = between.join(named)
    return f"{line}."


def is_usable(cell: str) -> bool:
    """Returns whether a cell has words and is short."""
    has_words = any(map(str.isalnum, cell))
    return has_words and len(cell) <= MAX_CELL_CHARACTERS


def _one_line(text: str) -> str:
    return " ".join(text.split())
