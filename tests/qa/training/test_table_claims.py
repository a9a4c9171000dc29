"""Claims about rows of tables: right ones have the row's own words, wrong ones others."""

import json
from pathlib import Path

import pytest

from qa.training.table_claims import claims_of_rows, claims_of_table_sentences, read_tables

HEADER = ["Plan", "Price", "Seats"]
ROWS = [["Basic", "$5", "3"], ["Pro", "$12", "20"], ["Team", "$30", "90"]]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "tables"
    folder.mkdir()
    table = {"title": "Hosting", "section": "Plans", "header": HEADER, "rows": ROWS}
    tables = [{"id": f"t{number}", **table} for number in range(40)]
    questions = [
        {"table": f"t{number}", "cells": [[1, 1]], "sentence": "The Pro plan costs $12 a month."}
        for number in range(40)
    ]
    questions.append({"table": "t1", "cells": [[1, 1]]})
    for name, rows in (("tables", tables), ("questions", questions)):
        lines = "\n".join(map(json.dumps, rows))
        (folder / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    return tmp_path


def test_claims_of_rows_are_labelled(data: Path) -> None:
    tables = list(read_tables(data).values())
    made = claims_of_rows(tables, seed=1)
    assert made == claims_of_rows(tables, seed=1)
    assert {claim.part for claim in made} == {"train", "fit", "report"}
    for claim in made:
        (row,) = [row for row in ROWS if row[0] in claim.claim]
        has_own_cell = any(cell in claim.claim for cell in row[1:])
        names_own_column = any(
            name in claim.claim and cell in claim.claim
            for name, cell in zip(HEADER[1:], row[1:], strict=True)
        )
        assert has_own_cell or not claim.supported
        assert names_own_column == claim.supported
        # The evidence has the row, whether with bars or with names.
        assert all(cell in " ".join(claim.evidence) for cell in row)


def test_sentences_about_tables_have_their_rows_or_others(data: Path) -> None:
    made = claims_of_table_sentences(data, read_tables(data), seed=1)
    supported = [claim for claim in made if claim.supported]
    assert len(supported) == 40
    assert all("$12" in " ".join(claim.evidence) for claim in supported)
    own_words = [claim for claim in made if claim.claim == supported[0].claim]
    over_other_rows = [claim for claim in own_words if not claim.supported]
    assert over_other_rows
    assert not any("$12" in " ".join(claim.evidence) for claim in over_other_rows)
