"""What runs were measured on: settings in words, the ones that differ, and what to know."""

from dataclasses import replace
from pathlib import Path

import pytest

from eval.report.provenance import (
    configuration,
    differing_facts,
    facts_of,
    view_provenance,
)
from eval.results import read_run
from tests.eval.page import make_run


def test_settings_that_differ_are_found_and_places_are_not(tmp_path: Path) -> None:
    """Where something is stored changes no answer."""
    first = facts_of(read_run(make_run(tmp_path / "first", top_k=5, strict=False)))
    second = facts_of(
        read_run(make_run(tmp_path / "second", top_k=3, strict=True, chroma_url="http://here"))
    )
    assert differing_facts([first, second]) == ["top_k", "strict"]
    assert differing_facts([first]) == []
    assert configuration(first, ["top_k", "strict", "missing"]) == (
        "engine built-in · top_k 5 · strict off · missing not known"
    )
    assert "home" not in first


def test_configuration_names_a_few_settings_only() -> None:
    """A run with many differences stays readable."""
    settings = {f"s{number}": str(number) for number in range(20)}
    line = configuration(settings, list(settings))
    assert line.startswith("engine not known · s0 0 · s1 1")
    assert line.endswith(" · s6 6 · and 13 more")


@pytest.mark.parametrize(
    ("commit", "words"),
    [("0" * 40, "000000000000…"), ("0" * 40 + "-dirty", "000000000000…-dirty"), (None, "none")],
)
def test_commit_is_shown_by_its_first_digits(
    tmp_path: Path, commit: str | None, words: str
) -> None:
    """An uncommitted state stays marked."""
    run = read_run(make_run(tmp_path / "run"))
    changed = replace(run, provenance=replace(run.provenance, commit=commit))
    assert facts_of(changed)["commit"] == words


def test_documents_are_one_setting(tmp_path: Path) -> None:
    """Other documents are one difference, however many there are; equal ones are listed."""
    run = read_run(make_run(tmp_path / "run"))
    documents = {f"{number}.txt": "v1" for number in range(30)}
    over_more = replace(run, provenance=replace(run.provenance, documents=documents))
    view = view_provenance({"a": run, "b": over_more})
    assert view.documents == {}
    assert "documents 1 (" in view.rows[0].configuration
    assert "documents 30 (" in view.rows[1].configuration
    assert view_provenance({"a": run}).documents == run.provenance.documents
    assert len(view.document_names) == 31
    assert view.engines == ["built-in"]
