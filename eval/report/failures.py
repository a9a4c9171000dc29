"""The questions that failed, as HTML: what was asked, what is so, and what each run made of it."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from eval.dataset import Question
from eval.evidence import evidence_rank
from eval.report.cases import Case
from eval.report.markup import part, raw_part, small, table, text
from eval.results import Result
from qa.types import AnswerSentence, Citation

Asked = Mapping[str, Case]
"""A question by the run's short name, of the runs that asked it."""
SUPPORT = {
    "verbatim": "the document's words",
    "supported": "supported",
    "weak": "weakly supported",
    "unsupported": "not supported",
}


def failed_questions(runs: Mapping[str, Sequence[Case]]) -> str:
    """Every question that failed in a run, once; where there are several, first which failed in which."""
    asked = _by_id(runs)
    failed = {
        key: cases for key, cases in asked.items() if any(case.failed for case in cases.values())
    }
    if not failed:
        return "<p>None.</p>"
    places = {key: f"q{number}" for number, key in enumerate(failed, start=1)}
    articles = "".join(_article(cases, places[key], len(runs) > 1) for key, cases in failed.items())
    return (_matrix(failed, places, list(runs)) if len(runs) > 1 else "") + _form(failed) + articles


def _by_id(runs: Mapping[str, Sequence[Case]]) -> dict[str, dict[str, Case]]:
    found: dict[str, dict[str, Case]] = {}
    for name, cases in runs.items():
        for case in cases:
            found.setdefault(case.id, {})[name] = case
    return found


def _matrix(failed: Mapping[str, Asked], places: Mapping[str, str], names: Sequence[str]) -> str:
    rows = [
        (
            f'<a href="#{places[key]}">{text(_known(cases).text)}</a>',
            *(cases[name].ending if name in cases else "not asked" for name in names),
        )
        for key, cases in failed.items()
    ]
    caption = "Which failed in which runs"
    # Of many runs it is wider than a phone, and is moved within itself: by keyboard too.
    return (
        f'<div class="wide" role="region" aria-label="{caption}" tabindex="0">'
        f"{table(caption, ('Question', *names), rows, 'matrix')}</div>"
    )


def _form(failed: Mapping[str, Asked]) -> str:
    """Shown by the script alone: without it there is nothing that filters."""
    cases = [case for asked in failed.values() for case in asked.values()]
    kinds = dict.fromkeys(case.question.kind for case in cases if case.question)
    endings = dict.fromkeys(str(case.ending) for case in cases if case.failed)
    return (
        '<form hidden aria-label="Filter the failed questions">'
        '<label>Words <input name="words" type="search" autocomplete="off"></label>'
        f"<label>Kind {_select('kind', kinds)}</label><label>Outcome {_select('ending', endings)}</label>"
        '<button name="all" type="button">Open all</button><output></output></form>'
    )


def _select(name: str, values: Iterable[str]) -> str:
    options = "".join(f'<option value="{text(value)}">{text(value)}</option>' for value in values)
    return f'<select name="{name}"><option value="">all</option>{options}</select>'


def _article(cases: Asked, place: str, several: bool) -> str:
    known = _known(cases)
    question = known.question
    endings = dict.fromkeys(case.ending for case in cases.values() if case.failed)
    facts = [*endings, *((question.kind, question.split) if question else ()), known.id]
    told = "".join(_of_run(name, case, several) for name, case in cases.items())
    return (
        f'<article data-kind="{text(question.kind if question else "")}" data-endings="{"|".join(endings)}">'
        f'<details><summary><h3 dir="auto">{text(known.text)}</h3>{small(" · ".join(facts))}</summary>'
        f'<div class="body" id="{place}">{_asked(question)}{told}</div></details></article>'
    )


def _known(cases: Asked) -> Case:
    """One of the runs' cases, with its question where any has it."""
    return next((case for case in cases.values() if case.question), next(iter(cases.values())))


def _asked(question: Question | None) -> str:
    """What was said before, and what is so."""
    if question is None:
        return ""
    earlier = "".join(part(f"Earlier: {turn.question}", [turn.answer]) for turn in question.history)
    relevant = [f"{name} (grade {grade})" for name, grade in question.relevant.items()]
    gold = part("Gold evidence", question.evidence, quoted=True) + part(
        "Relevant documents", relevant
    )
    if not question.answerable:
        gold = part("Right", ["A refusal: the documents do not answer it."])
    return f"<dl>{earlier}{part('Accepted', question.answers)}{gold}</dl>"


def _of_run(name: str, case: Case, several: bool) -> str:
    heading = f"<h4>{text(name)}: {case.ending}</h4>" if several else ""
    if not case.replies:
        return heading + f"<dl>{part('Error', [case.error] if case.error is not None else [])}</dl>"
    return heading + "".join(
        _reply(reply, repeats, case.question) for reply, repeats in _alike(case.replies)
    )


def _alike(replies: Sequence[Result]) -> list[tuple[Result, str]]:
    """Repeats in a row that said the same are told once; with each which they were, or nothing where there is one."""
    if len(replies) == 1:
        return [(replies[0], "")]
    found = []
    for _, group in groupby(replies, lambda reply: (reply.error, reply.answer, reply.sentences)):
        same = list(group)
        first, last = same[0].repeat, same[-1].repeat
        found.append(
            (same[0], f"repeat {first}" if first == last else f"repeats {first} to {last}")
        )
    return found


def _reply(reply: Result, repeats: str, question: Question | None) -> str:
    told = f" ({repeats})" if repeats else ""
    if reply.error is not None:
        return f'<dl class="error">{part(f"Error{told}", [reply.error])}</dl>'
    understood = [reply.standalone_question] if reply.standalone_question != reply.question else []
    sure = f"confidence {reply.confidence:.2f}"
    answered = (
        part(f"Refused{told}, {sure}", [reply.answer])
        if reply.abstained
        else raw_part(
            f"Answered{told}, {sure}", _sentences(reply.sentences) or f"<p>{text(reply.answer)}</p>"
        )
    )
    parts = [
        part("Understood as", understood),
        answered,
        part("Note", reply.notices),
        _rank(reply, question),
    ]
    return f"<dl>{''.join(parts)}</dl>"


def _sentences(sentences: Sequence[AnswerSentence]) -> str:
    items = "".join(
        f'<li><p dir="auto">{text(one.text)}</p>{small(SUPPORT[one.support])}'
        f"{''.join(_citation(citation, one.text) for citation in one.citations)}</li>"
        for one in sentences
    )
    return f"<ol>{items}</ol>" if items else ""


def _citation(citation: Citation, sentence: str) -> str:
    """The quote and where it stands; the sentence itself is not told twice."""
    quote = "" if citation.quote == sentence else text(citation.quote)
    return f'<blockquote dir="auto">{quote}{small(place(citation))}</blockquote>'


def place(citation: Citation) -> str:
    """Where a quote stands, in words."""
    page = f"page {citation.page}, " if citation.page else ""
    return f"{citation.document}, {page}characters {citation.start}–{citation.end}"


def _rank(reply: Result, question: Question | None) -> str:
    found = evidence_rank(reply, question) if question else None
    if found is None:
        return ""
    of = f"of the {found.count} {found.unit} read"
    told = f"{found.rank} {of}" if found.rank else f"in none {of}"
    return part("Rank of the gold evidence", [told])
