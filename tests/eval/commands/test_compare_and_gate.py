"""`compare` and `gate` over run folders written by hand: exit codes agree with the verdict."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import pytest

import eval.__main__ as command_line
from eval.commands import compare, gate, show
from eval.gate import GATED
from qa.terminal import visible

ONES, ZEROS = [1.0] * 20, [0.0] * 20
HALF = [1.0] * 10 + [0.0] * 10
SCORES = {f"q{n}": {"answered_right": value} for n, value in enumerate(HALF)}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command_line, "COMMANDS", (compare, gate))


def folder(
    at: str,
    right: Sequence[float | None],
    others: Mapping[str, Sequence[float | None]] | None = None,
    figures: Mapping[str, Any] | None = None,
    errors: Mapping[str, str] | None = None,
    **about: Any,
) -> str:
    """A run whose questions q0, q1 and so on have these values of answered_right, and others of others."""
    scores: dict[str, dict[str, float | None]] = {
        f"q{n}": {"answered_right": value} for n, value in enumerate(right)
    }
    for name, values in (others or {}).items():
        for n, value in enumerate(values):
            scores[f"q{n}"][name] = value
    summary = {
        "commit": "abc",
        "questions": {"sha256": "1"},
        "documents": {"pets.txt": "v1"},
        "settings": {"top_k": 5, "home": at},
        "versions": {"python": "3.11.0"},
        "scores": scores,
        "errors": dict(errors or {}),
        "overall": {
            "questions": len(right),
            "errors": len(errors or {}),
            "figures": {name: estimate(value) for name, value in (figures or {}).items()},
        },
        **about,
    }
    Path(at).mkdir()
    Path(at, "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    return at


def estimate(value: Any) -> dict[str, Any]:
    return {"n": 20, "unscored": 0, "value": value, "low": value, "high": value}


def cli(*arguments: str) -> int:
    return command_line.main(arguments)


@pytest.mark.parametrize(
    ("second", "code", "words"),
    [
        (ZEROS, 1, "The second run is worse on answered_right."),
        (ONES, 0, "The second run is better on answered_right."),
        (HALF, 0, "No detectable difference on answered_right."),
        ([*HALF[:-5], *[1.0] * 5], 0, "No detectable difference on answered_right."),
        ([*HALF[:-6], *[1.0] * 6], 0, "The second run is better on answered_right."),
        ([*[0.0] * 6, *HALF[6:]], 1, "The second run is worse on answered_right."),
    ],
)
def test_compare_exit_code_agrees_with_verdict(
    second: list[float], code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    first, other = folder("a", HALF), folder("b", second)
    assert cli("compare", first, other) == code
    printed = capsys.readouterr()
    assert printed.out.splitlines()[-1] == words
    assert printed.err == ""
    assert cli("compare", first, other, "--json") == code
    told = json.loads(capsys.readouterr().out)
    assert (told["verdict"] == "worse") == (code == 1)
    assert told["verdict"] in words.lower()


def test_compare_measure_chooses_what_decides(
    capsys: pytest.CaptureFixture[str],
) -> None:
    first = folder("a", ONES, {"wrongly_refused": ZEROS, "seconds": ONES})
    second = folder("b", ONES, {"wrongly_refused": ONES, "seconds": [2.0] * 20})
    assert cli("compare", first, second) == 0
    out = capsys.readouterr().out
    assert "No detectable difference on answered_right." in out
    assert "wrongly refused (v)" in out
    assert cli("compare", first, second, "--measure", "seconds") == 1
    out = capsys.readouterr().out
    assert "worse on seconds" in out
    assert "2.000" in out
    assert (
        cli("compare", first, second, "--measure", "answered_right", "wrongly_refused", "--json")
        == 1
    )
    told = json.loads(capsys.readouterr().out)
    tests = {row["measure"]: row["tests"] for row in told["measures"]}
    assert tests == {"answered_right": 2, "wrongly_refused": 2, "seconds": 1}
    assert told["deciding"] == ["answered_right", "wrongly_refused"]


def test_compare_better_and_worse_is_worse(capsys: pytest.CaptureFixture[str]) -> None:
    first, second = folder("a", ZEROS, {"hit_at_1": ONES}), folder("b", ONES, {"hit_at_1": ZEROS})
    assert cli("compare", first, second, "--measure", "answered_right", "hit_at_1") == 1
    assert (
        capsys.readouterr().out.splitlines()[-1]
        == "The second run is worse on hit_at_1; better on answered_right."
    )


def test_compare_prints_changed_settings_first(
    capsys: pytest.CaptureFixture[str],
) -> None:
    first = folder("a", HALF, errors={"q99": "broke"})
    scores = {**SCORES, "q99": {"answered_right": 1.0}}
    second = folder(
        "b",
        HALF,
        scores=scores,
        settings={"top_k": 3, "llm": "\x1b[2J"},
        versions={"python": "3.12.0"},
    )
    assert cli("compare", first, second) == 0
    out = capsys.readouterr().out
    assert "top_k: 5 -> 3\n" in out
    assert 'version of python: "3.11.0" -> "3.12.0"\n' in out
    assert "home" not in out
    assert "\x1b" not in out
    assert "questions with an error: 1 and 0" in out
    assert out.index("top_k") < out.index("Deciding")


def test_compare_other_questions_or_documents_fails(
    capsys: pytest.CaptureFixture[str],
) -> None:
    first = folder("a", HALF)
    cases: dict[str, tuple[str, dict[str, Any]]] = {
        "b": ("Their documents differ: pets.txt", {"documents": {"pets.txt": "v2"}}),
        "c": ("Their question files differ", {"questions": {"sha256": "2"}}),
    }
    for name, (words, about) in cases.items():
        other = folder(name, HALF, **about)
        for arguments in (["compare", first, other], ["gate", other, "--baseline", first]):
            assert cli(*arguments) == 2
            printed = capsys.readouterr()
            assert words in printed.err
            assert printed.out == ""
    fewer = folder("d", HALF[:-1])
    assert cli("compare", first, fewer) == 2
    assert "d did not ask 1 of the other's questions: q19" in capsys.readouterr().err


@pytest.mark.parametrize("measure", ["nonsense", "answered", "none_there"])
def test_compare_unusable_metric_names_usable_ones(
    measure: str, capsys: pytest.CaptureFixture[str]
) -> None:
    others: dict[str, list[float | None]] = {"none_there": [None] * 20, "answered": [1.0] * 20}
    first, second = folder("a", HALF, others), folder("b", HALF, others)
    assert cli("compare", first, second, "--measure", measure) == 2
    told = capsys.readouterr().err
    assert told.startswith("footnote: ")
    assert (
        "no better or worse values" if measure == "answered" else "Use: answered_right."
    ) in told
    assert cli("gate", second, "--baseline", first, "--measure", measure) == 2
    assert capsys.readouterr().err.startswith("footnote: ")


def test_compare_table_fits_without_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    others = {
        "unsupported_sentences": HALF,
        "cited_quote_precision": HALF,
        "seconds_to_first_words": ONES,
    }
    assert cli("compare", folder("a", HALF, others), folder("b", ONES, others)) == 0
    out = capsys.readouterr().out
    assert "no detectable difference" in out
    assert max(map(len, out.splitlines())) <= compare.WIDTH
    assert "\x1b" not in out


@pytest.mark.parametrize(
    ("second", "code"),
    [(HALF, 0), (ONES, 0), ([*[0.0] * 4, *HALF[4:]], 0), ([*[0.0] * 5, *HALF[5:]], 1), (ZEROS, 1)],
)
def test_gate_detectable_regression_fails(
    second: list[float], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """One-sided, five of five lost are 1 in 32 by chance, four of four 1 in 16."""
    baseline, run = folder("a", HALF), folder("b", second)
    assert cli("gate", run, "--baseline", baseline) == code
    lines = [line for line in capsys.readouterr().out.splitlines() if not line.startswith(" ")]
    assert [line[:4] for line in lines[:-1]] == ["pass", "FAIL" if code else "pass"]
    assert ("detectably worse" in lines[1]) == (code == 1)
    assert lines[-1] == ("failed: 1 of 2 checks" if code else "passed: 2 checks")
    assert cli("gate", run, "--baseline", baseline, "--json") == code
    told = json.loads(capsys.readouterr().out)
    assert told["passed"] == (code == 0)
    assert [check["passed"] for check in told["checks"]] == [True, code == 0]


def test_gate_several_metrics_are_corrected() -> None:
    others = {"hit_at_5": HALF}
    baseline, run = folder("a", HALF, others), folder("b", [*[0.0] * 5, *HALF[5:]], others)
    assert cli("gate", run, "--baseline", baseline) == 0
    assert cli("gate", run, "--baseline", baseline, "--measure", "answered_right") == 1
    assert (
        cli("gate", run, "--baseline", baseline, "--measure", "answered_right", "answered_right")
        == 1
    )


def test_gate_new_error_fails(capsys: pytest.CaptureFixture[str]) -> None:
    told = {f"x{n}": "ValueError: no" for n in range(7)}
    baseline, run = (
        folder("a", HALF, errors={"x0": "TimeoutError"}),
        folder("b", HALF, errors={"x0": "ValueError: no"}),
    )
    assert cli("gate", run, "--baseline", baseline) == 0
    assert "no question with an error that the baseline does not have" in capsys.readouterr().out
    more = folder("c", HALF, errors=told)
    right = folder("d", HALF, scores={**SCORES, **{key: {"answered_right": 1.0} for key in told}})
    assert cli("gate", more, "--baseline", right) == 1
    out = capsys.readouterr().out
    assert (
        "7 questions with an error that the baseline does not have: x0, x1, x2, x3, x4, 2 others"
        in out
    )


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--min", "hit_at_1=0.75"], 0, "0.75, at least 0.75 required"),
        (["--min", "hit_at_1=0.76"], 1, "0.75, at least 0.76 required"),
        (["--max", "seconds_p95=1.5"], 0, "1.5, at most 1.5 required"),
        (["--max", "seconds_p95=1.4", "hit_at_1=1"], 1, "1.5, at most 1.4 required"),
        (["--min", "citation_recall=0"], 1, "no question has a value, at least 0 required"),
        (["--max", "citation_recall=1"], 1, "no question has a value, at most 1 required"),
    ],
)
def test_gate_limits(
    arguments: list[str], code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = {"hit_at_1": 0.75, "seconds_p95": 1.5, "citation_recall": None}
    baseline, run = folder("a", HALF), folder("b", HALF, figures=figures)
    assert cli("gate", run, "--baseline", baseline, *arguments) == code
    out = capsys.readouterr().out
    assert words in out
    assert out.splitlines()[-1].startswith("failed: 1 of" if code else "passed: ")


def test_gate_inexact_quote_fails_by_default(capsys: pytest.CaptureFixture[str]) -> None:
    baseline = folder("a", HALF)
    run = folder("b", HALF, figures={"quotes_exact": 0.99})
    assert cli("gate", run, "--baseline", baseline) == 1
    assert "0.99, at least 1 required" in capsys.readouterr().out
    assert cli("gate", run, "--baseline", baseline, "--min", "quotes_exact=0.9") == 0
    assert (
        cli("gate", folder("c", HALF, figures={"quotes_exact": 1.0}), "--baseline", baseline) == 0
    )
    assert (
        cli("gate", folder("d", HALF, figures={"quotes_exact": None}), "--baseline", baseline) == 0
    )


def test_gate_repeated_limit_fails(capsys: pytest.CaptureFixture[str]) -> None:
    run = folder("b", HALF, figures={"hit_at_1": 0.75})
    bounds = ["--min", "hit_at_1=0.9", "--min", "hit_at_1=0.1"]
    assert cli("gate", run, "--baseline", folder("a", HALF), *bounds) == 2
    assert "hit_at_1 has two limits" in capsys.readouterr().err


def test_gate_names_default_metrics_not_gated(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli("gate", folder("b", HALF), "--baseline", folder("a", HALF)) == 0
    assert "rightly_refused  not gated: no question has it in both runs" in capsys.readouterr().out


def test_gate_unknown_metric_names_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    run = folder("b", HALF, figures={"hit_at_1": 0.75, "seconds_p95": 1.5})
    assert cli("gate", run, "--baseline", folder("a", HALF), "--min", "hit_at_2=0.5") == 2
    printed = capsys.readouterr()
    assert printed.err == "footnote: b has no metric hit_at_2. It has: hit_at_1, seconds_p95.\n"
    assert printed.out == ""


@pytest.mark.parametrize(
    "bad", ["hit_at_1", "hit_at_1=", "=1", "hit_at_1=much", "hit_at_1=nan", "hit_at_1=inf"]
)
def test_gate_invalid_limit_is_bad_usage(bad: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli("gate", "b", "--baseline", "a", "--min", bad)
    assert caught.value.code == 2
    assert "must be NAME=VALUE" in capsys.readouterr().err


@pytest.mark.parametrize("figure", ["much", True, {"of": 1}])
def test_gate_value_not_a_number_is_damage(figure: Any, capsys: pytest.CaptureFixture[str]) -> None:
    run = folder("b", HALF, figures={"hit_at_1": figure})
    assert cli("gate", run, "--baseline", folder("a", HALF)) == 2
    assert "summary.json is damaged" in capsys.readouterr().err


def test_compare_and_gate_not_a_run_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli("compare", "nowhere", folder("a", HALF)) == 2
    assert "nowhere is not a run" in capsys.readouterr().err
    assert cli("gate", "a", "--baseline", "a/summary.json") == 2
    assert "a/summary.json is a file. Give the folder that it is in: a" in capsys.readouterr().err
    assert cli("gate", "a", "--baseline", "nowhere") == 2
    assert "nowhere is not a run" in capsys.readouterr().err


def test_compare_prints_hash_of_uncommitted_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli("compare", folder("a", HALF, code="1" * 64), folder("b", HALF, code="2" * 64)) == 0
    assert f'code: "{"1" * 12}" -> "{"2" * 12}"' in capsys.readouterr().out
    assert cli("compare", "a", folder("c", HALF)) == 0
    assert f'code: "{"1" * 12}" -> null' in capsys.readouterr().out


def test_compare_too_large_score_is_damage(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli("compare", folder("a", HALF), folder("b", [1e300])) == 2
    assert "scores.q0.answered_right: " in capsys.readouterr().err


def test_gate_no_common_scores_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli("gate", folder("b", [None]), "--baseline", folder("a", [1.0])) == 2
    assert "Nothing to gate. No question has" in capsys.readouterr().err
    assert cli("compare", "a", "b") == 2
    assert (
        "No question has a value of answered_right, or of any other metric, in both runs."
        in capsys.readouterr().err
    )


def test_gate_help_names_defaults_and_is_light(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        cli("gate", "--help")
    told = " ".join(capsys.readouterr().out.split())
    assert ", ".join(GATED) in told
    program = (
        "import sys, eval.__main__ as m; from eval.commands import compare, gate; m.COMMANDS = (compare, gate)\n"
        "try: m.main(['gate', '--help'])\n"
        "except SystemExit: print([name for name in ('numpy', 'scipy', 'rich') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
    )
    assert done.stdout.splitlines()[-1] == "[]"


EVIL = "q\x1b[31m\x9b2J\r\u202e\u2066"
FORGED = f"{EVIL}\nfootnote: all is well"


@pytest.mark.parametrize(
    "arguments",
    [
        ("compare", "a", "b"),
        ("compare", "a", "b", "--json"),
        ("compare", "a", "c"),
        ("compare", "a", "b", "--measure", "x"),
        ("compare", "a", "b", "--measure", FORGED),
        ("gate", "b", "--baseline", "a"),
        ("gate", "b", "--baseline", "a", "--json"),
        ("gate", "c", "--baseline", "a"),
        ("gate", "b", "--baseline", "a", "--min", "x=1"),
        ("gate", "b", "--baseline", "a", "--measure", FORGED),
        ("show", "a", "unknown"),
        ("show", "a", "q"),
    ],
)
def test_command_hostile_run_steers_nothing(
    arguments: Sequence[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No id and no metric of a run sends a control character, or begins a line of its own."""
    monkeypatch.setattr(command_line, "COMMANDS", (compare, gate, show))
    figures = {FORGED: 1.0}
    folder("a", HALF, {FORGED: HALF}, figures, settings={EVIL: EVIL})
    folder("b", HALF, {FORGED: ONES}, figures, errors={FORGED: EVIL}, settings={EVIL: EVIL + "x"})
    folder("c", HALF, documents={FORGED: "v1"})
    for name in "abc":
        summary = Path(name, "summary.json")
        summary.write_text(summary.read_text().replace('"q1"', json.dumps(FORGED)))
    assert cli(*arguments) in (0, 1, 2)
    printed = "".join(capsys.readouterr())
    assert printed
    assert visible(printed) == printed
    assert "\nfootnote: all" not in printed


@pytest.mark.parametrize("metric", ["answered_right", "seconds"])
@pytest.mark.parametrize("n", [1, 6, 20])
def test_compare_extreme_scores_have_a_result(metric: str, n: int) -> None:
    """The smallest float and the largest score that a file may have, in any order."""
    tiny, large = [5e-324] * n, [1e15] * n
    mixed = [*tiny, *large][: 2 * n : 2]
    runs = []
    values_of = {"a": tiny, "b": large, "c": mixed, "d": [1.0] * n, "e": [0.0] * n}
    for name, values in values_of.items():
        runs.append(folder(name, [1.0] * n, {metric: values}))
    for first, second in product(runs, runs):
        assert cli("compare", first, second) in (0, 1)
