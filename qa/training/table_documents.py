"""Writes public tables as people's documents have them, with questions that a row answers.

A table in Markdown or with commas, cards of `name: value` lines, and lists below a line that
introduces them. The questions are those that people asked about the tables, as far as reading a row
answers them, and templates that ask for a cell. A row or a column that is left out makes questions
that the document does not answer, however near it comes.
"""

import json
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from qa.text.words import terms
from qa.training.rewording import reworded
from qa.training.table_claims import QUESTIONS, Table, is_usable
from qa.training.written import TextWriter, WrittenDocument, WrittenQuestion
from qa.types import Span

MAX_ROWS = 12
"""Rows of a document; of a longer table those around the answer."""
MIN_ROWS = 3
SHARE_OF_NAMES = 0.8
"""Cells of a key column that are names, and that differ from each other."""
MIN_NAME_LETTERS = 3
MAX_QUESTIONS = 4
"""Questions that people asked of a table."""
MAX_ANSWER_ROWS = 3
MAX_LIST = 8
SHARE_AS_LIST = 0.5
"""Tables that are written as lists too."""
SHARE_LEFT_OUT = 0.5
"""Documents of which a row or a column is left out for a question."""
_NEEDS_COUNTING = re.compile(
    r"\b(\w{3,}est|most|least|first|last|next|previous|before|after|above|below|more|less|fewer|"
    r"same|difference|average|other|another|besides|how many|number of)\b",
    re.IGNORECASE,
)
"""Words of questions that compare or count rows."""
_CELL_QUESTIONS = (
    "What is the {column} of {key}?",
    "What was the {column} of {key}?",
    "What is the {column} for {key}?",
    "Which {column} does {key} have?",
    "{key} {column}",
    "What {column} does {key} have?",
    "Tell me the {column} of {key}.",
    "What is {key}'s {column}?",
    "What does the table give as {column} for {key}?",
)
_KEY_QUESTIONS = (
    "Which {key_column} has {cell} as {column}?",
    "Whose {column} is {cell}?",
    "What {key_column} has the {column} {cell}?",
    "Which {key_column} is it where the {column} is {cell}?",
)
_LIST_QUESTIONS = (
    "Which {key_column} have {column} {cell}?",
    "What is listed under {cell}?",
    "List all with {column} {cell}.",
    "What are the {key_column} for {cell}?",
)
_LEAD_INS = ("{column}: {cell}. These are:", "{cell} ({column}):", "With {column} {cell}:")
_CARD_MARKS = (("- ", ": "), ("", ": "), ("**", ":** "), ("- **", "**: "), ("* ", " - "))
"""What stands before the name of a value, and between name and value."""


@dataclass(frozen=True, slots=True)
class TableQuestion:
    """A question that somebody asked about a table."""

    question: str
    cells: tuple[tuple[int, int], ...]
    """Row and column of each cell that answers, from 0."""


def read_table_questions(data: Path, tables: Mapping[str, Table]) -> dict[str, list[TableQuestion]]:
    """Returns, by table, the questions that reading a row answers."""
    by_table: dict[str, list[TableQuestion]] = {}
    for line in (data / QUESTIONS).read_text(encoding="utf-8").splitlines():
        raw = json.loads(line)
        table = tables.get(raw["table"])
        cells = tuple((row, column) for row, column in raw["cells"])
        if table and cells and _is_lookup(raw["question"], cells, table):
            question = TableQuestion(raw["question"], cells)
            by_table.setdefault(table.id, []).append(question)
    return by_table


def table_documents(
    tables: Mapping[str, Table],
    questions_of: Mapping[str, Sequence[TableQuestion]],
    seed: int,
) -> Iterator[WrittenDocument]:
    """Yields each table as one or two documents with questions, in a fixed order."""
    rng = random.Random(seed)
    for table in tables.values():
        if len(table.rows) < MIN_ROWS or len(table.header) < 2:
            continue
        questions = list(questions_of.get(table.id, ()))[:MAX_QUESTIONS]
        if questions:
            yield from _of_questions(table, questions, rng)
        yield from _of_template(table, rng)
        yield from _as_list(table, rng)


def _is_lookup(question: str, cells: Sequence[tuple[int, int]], table: Table) -> bool:
    """Returns whether a row answers by itself: it shares words with the question."""
    if _NEEDS_COUNTING.search(question):
        return False
    rows = {row for row, _ in cells}
    columns = {column for _, column in cells}
    if len(rows) > MAX_ANSWER_ROWS or max(rows) >= len(table.rows):
        return False
    if max(columns) >= len(table.header):
        return False
    other_cells = []
    for row in rows:
        for column, cell in enumerate(table.rows[row]):
            if column not in columns:
                other_cells.append(cell)
    question_terms = set(terms(question))
    other_terms = set(terms(" ".join(other_cells)))
    return bool(question_terms & other_terms)


def _of_questions(
    table: Table, questions: Sequence[TableQuestion], rng: random.Random
) -> Iterator[WrittenDocument]:
    """Yields the rows around the first question's answer, with every question about them."""
    answer_rows = [question.cells[0][0] for question in questions]
    window = _window(table, answer_rows[0], rng)
    left_out = None
    if len(questions) > 1 and rng.random() < SHARE_LEFT_OUT:
        left_out = answer_rows[-1]
        if left_out == answer_rows[0]:
            left_out = None
    rows = [row for row in window if row != left_out]
    columns = list(range(len(table.header)))
    yield _written(table, rows, columns, questions, (), rng)


def _of_template(table: Table, rng: random.Random) -> Iterator[WrittenDocument]:
    """Yields some rows with questions for a cell and its key, and for a row and column left out."""
    middle = rng.randrange(len(table.rows))
    window = _window(table, middle, rng)
    key_column = _key_column(table)
    if key_column is None:
        return
    columns = _named_columns(table, key_column)

    keys = [_cell(table, row, key_column) for row in window]
    usable_rows = []
    for row, key in zip(window, keys, strict=True):
        if is_usable(key) and keys.count(key) == 1:
            usable_rows.append(row)
    if len(columns) < 2 or len(usable_rows) < MIN_ROWS:
        return

    missing_column = rng.choice(columns)
    missing_row = rng.choice(usable_rows)
    shown_columns = sorted({*columns, key_column} - {missing_column})
    shown_rows = [row for row in window if row != missing_row]
    present_rows = [row for row in usable_rows if row != missing_row]
    present_row = rng.choice(present_rows)
    present_columns = [column for column in columns if column != missing_column]
    column = rng.choice(present_columns)

    questions = []
    cell = _cell(table, present_row, column)
    if is_usable(cell):
        questions.append(_cell_question(table, present_row, column, key_column, rng))
        cells_of_column = [_cell(table, row, column) for row in shown_rows]
        if cells_of_column.count(cell) == 1:
            questions.append(_key_question(table, present_row, column, key_column, rng))

    of_missing_row = _cell_question(table, missing_row, column, key_column, rng)
    of_missing_column = _cell_question(table, present_row, missing_column, key_column, rng)
    absent = [of_missing_row.question, of_missing_column.question]
    yield _written(table, shown_rows, shown_columns, questions, absent, rng)


def _key_column(table: Table) -> int | None:
    """Returns the first column whose cells are names, most of them different; None without any."""
    for column, name in enumerate(table.header):
        cells = [_cell(table, row, column) for row in range(len(table.rows))]
        with_letters = [cell for cell in cells if _has_name(cell)]
        enough = SHARE_OF_NAMES * len(cells)
        are_names = len(with_letters) >= enough
        are_different = len(set(cells)) >= enough
        if name and are_names and are_different:
            return column
    return None


def _has_name(cell: str) -> bool:
    return sum(map(str.isalpha, cell)) >= MIN_NAME_LETTERS


def _cell_question(
    table: Table, row: int, column: int, key_column: int, rng: random.Random
) -> TableQuestion:
    template = rng.choice(_CELL_QUESTIONS)
    column_name = _lowered(table.header[column])
    key = _cell(table, row, key_column)
    question = template.format(column=column_name, key=key)
    return TableQuestion(question, ((row, column),))


def _key_question(
    table: Table, row: int, column: int, key_column: int, rng: random.Random
) -> TableQuestion:
    template = rng.choice(_KEY_QUESTIONS)
    question = template.format(
        key_column=_lowered(table.header[key_column]),
        column=_lowered(table.header[column]),
        cell=_cell(table, row, column),
    )
    return TableQuestion(question, ((row, key_column),))


def _as_list(table: Table, rng: random.Random) -> Iterator[WrittenDocument]:
    """Yields the names of a table as lists below the words that their rows share, if any do."""
    key_column = _key_column(table)
    if key_column is None or rng.random() >= SHARE_AS_LIST:
        return
    columns = _named_columns(table, key_column)
    rng.shuffle(columns)
    for column in columns:
        members: dict[str, list[str]] = {}
        for row in range(len(table.rows)):
            key = _cell(table, row, key_column)
            shared = _cell(table, row, column)
            is_shared_name = is_usable(shared) and _has_name(shared)
            if is_usable(key) and is_shared_name:
                members.setdefault(shared, []).append(key)
        lists = {}
        for shared, keys in members.items():
            different = list(dict.fromkeys(keys))
            if 2 <= len(different) <= MAX_LIST:
                lists[shared] = different
        if len(lists) >= 2:
            yield _written_lists(table, column, key_column, lists, rng)
            return


def _written_lists(
    table: Table,
    column: int,
    key_column: int,
    lists: Mapping[str, Sequence[str]],
    rng: random.Random,
) -> WrittenDocument:
    cells = list(lists)[:4]
    missing = cells.pop() if len(cells) > 2 else None
    lead_in = rng.choice(_LEAD_INS)
    bullet = rng.choice(["- ", "* ", "• ", "1. "])
    writer = TextWriter()
    _write_title(writer, table, rng)
    questions = []
    for cell in cells:
        lead_in_line = lead_in.format(column=table.header[column], cell=cell)
        writer.add(f"{lead_in_line}\n")
        items = []
        for number, key in enumerate(lists[cell], start=1):
            mark = f"{number}. " if bullet == "1. " else bullet
            writer.add(mark)
            items.append(writer.add(key))
            writer.add("\n")
        writer.add("\n")
        question = _list_question(table, column, key_column, cell, rng)
        whole_list = Span(items[0].start, items[-1].end)
        questions.append(WrittenQuestion(question, (whole_list,), region=True))
    if missing:
        question = _list_question(table, column, key_column, missing, rng)
        questions.append(WrittenQuestion(question, ()))
    return WrittenDocument("list", table.id, writer.text, tuple(questions), table.part)


def _list_question(
    table: Table, column: int, key_column: int, cell: str, rng: random.Random
) -> str:
    template = rng.choice(_LIST_QUESTIONS)
    question = template.format(
        key_column=_lowered(table.header[key_column]),
        column=_lowered(table.header[column]),
        cell=cell,
    )
    return reworded(question, rng)


def _written(
    table: Table,
    rows: Sequence[int],
    columns: Sequence[int],
    questions: Sequence[TableQuestion],
    absent: Sequence[str],
    rng: random.Random,
) -> WrittenDocument:
    """Returns rows and columns of a table in one of the layouts."""
    layout = rng.choice(["bars", "bars", "commas", "cards"])
    writer = TextWriter()
    _write_title(writer, table, rng)
    if layout == "cards":
        span_of = _write_cards(writer, table, rows, columns)
    else:
        span_of = _write_lines(writer, table, rows, columns, _LINE_MARKS[layout])

    written = []
    for question in questions:
        as_typed = reworded(question.question, rng)
        written.append(WrittenQuestion(as_typed, _answers(question, span_of)))
    for text in absent:
        as_typed = reworded(text, rng)
        written.append(WrittenQuestion(as_typed, ()))
    return WrittenDocument(
        source="cards" if layout == "cards" else "table",
        group=table.id,
        text=writer.text,
        questions=tuple(written),
        part=table.part,
        markdown=layout != "commas",
    )


_CellSpans = dict[tuple[int, int], Span]
"""Where a cell stands in the text, by its row and column in the table."""


def _answers(question: TableQuestion, span_of: _CellSpans) -> tuple[Span, ...]:
    """Returns the spans of the cells that answer, without cells that are left out or empty."""
    spans = []
    for cell in question.cells:
        span = span_of.get(cell)
        if span is not None and len(span) > 0:
            spans.append(span)
    return tuple(spans)


def _without_bars(cell: str) -> str:
    return cell.replace("|", "/")


def _without_commas(cell: str) -> str:
    return cell.replace(",", "").replace('"', "")


@dataclass(frozen=True, slots=True)
class _LineMarks:
    """What stands around the cells of a line."""

    start: str
    between: str
    end: str
    cleaned: Callable[[str], str]
    """Returns a cell without the marks."""
    rule: str = ""
    """Stands in a line below the header, once for each column."""


_LINE_MARKS = {
    "bars": _LineMarks("| ", " | ", " |\n", _without_bars, rule="---|"),
    "commas": _LineMarks("", ",", "\n", _without_commas),
}


def _write_lines(
    writer: TextWriter,
    table: Table,
    rows: Sequence[int],
    columns: Sequence[int],
    marks: _LineMarks,
) -> _CellSpans:
    """Writes a line for the header and one for each row. Returns where the cells stand."""
    names = [marks.cleaned(table.header[column]) for column in columns]
    writer.add(marks.start + marks.between.join(names) + marks.end)
    if marks.rule:
        writer.add("|" + marks.rule * len(columns) + "\n")

    span_of: _CellSpans = {}
    for row in rows:
        before = marks.start
        for column in columns:
            writer.add(before)
            cell = marks.cleaned(_cell(table, row, column))
            span_of[row, column] = writer.add(cell)
            before = marks.between
        writer.add(marks.end)
    return span_of


def _write_cards(
    writer: TextWriter, table: Table, rows: Sequence[int], columns: Sequence[int]
) -> _CellSpans:
    """Writes a heading and a line for each value of a row. Returns where the cells stand."""
    span_of: _CellSpans = {}
    key_column, *value_columns = columns
    # Documents differ in their marks; a document keeps to one of them.
    before, between = _CARD_MARKS[len(writer.text) % len(_CARD_MARKS)]
    for row in rows:
        writer.add("## ")
        span_of[row, key_column] = writer.add(_cell(table, row, key_column))
        writer.add("\n")
        for column in value_columns:
            name = table.header[column]
            cell = _cell(table, row, column)
            if cell and name:
                writer.add(f"{before}{name}{between}")
                span_of[row, column] = writer.add(cell)
                writer.add("\n")
        writer.add("\n")
    return span_of


def _write_title(writer: TextWriter, table: Table, rng: random.Random) -> None:
    if table.title and rng.random() < 0.8:
        writer.add(f"# {table.title}\n\n")


def _window(table: Table, middle: int, rng: random.Random) -> list[int]:
    """Returns the indexes of up to `MAX_ROWS` successive rows, with the middle row among them."""
    count = min(len(table.rows), rng.randint(MIN_ROWS, MAX_ROWS))
    lowest = max(0, middle - count + 1)
    highest = min(middle, len(table.rows) - count)
    first = rng.randint(min(lowest, highest), max(lowest, highest))
    return list(range(first, first + count))


def _named_columns(table: Table, key_column: int) -> list[int]:
    """Returns the columns with a name, but for the key."""
    columns = []
    for column, name in enumerate(table.header):
        if name and column != key_column:
            columns.append(column)
    return columns


def _cell(table: Table, row: int, column: int) -> str:
    cells = table.rows[row]
    return cells[column] if column < len(cells) else ""


def _lowered(name: str) -> str:
    """Returns a column's name as it stands inside a sentence; abbreviations keep their capitals."""
    return name if name.isupper() else name[:1].lower() + name[1:]
