"""A run as one page of HTML: all figures, and each question that failed, with what was said and what is so.

Self-contained, no script; every text that is not ours is escaped. `compare` and its page come later.
"""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from eval.summary import LABELS, LESS_IS_BETTER, Group, Outcome
from eval.table import digits, numbers, shown
from qa.types import Answer

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Footnote: an evaluation run</title>
<style>
:root {{ color-scheme: light dark; --line: #8886; --soft: #8882; }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 0 auto; padding: 1rem; }}
main {{ overflow-wrap: anywhere; }}
h1 {{ font-size: 1.5rem; }} h2 {{ font-size: 1.2rem; margin-top: 2rem; }} h3 {{ font-size: 1rem; margin: 0 0 .5rem; }}
table {{ border-collapse: collapse; width: 100%; }}
th, td {{ padding: .2rem .4rem; border-bottom: 1px solid var(--line); text-align: right; overflow-wrap: normal; }}
th:first-child {{ text-align: left; font-weight: normal; }}
summary {{ cursor: pointer; padding: .4rem 0; }}
article {{ border: 1px solid var(--line); border-radius: .4rem; padding: .8rem; margin: .8rem 0; }}
dl {{ margin: 0; }} dt {{ font-weight: 600; margin-top: .5rem; }} dd {{ margin: 0; }}
blockquote {{ margin: .2rem 0; padding: .2rem .6rem; background: var(--soft); }}
</style>
<main>
<h1>An evaluation run</h1>
{about}
<h2>Figures</h2>
<p>n: questions that have a value. Interval: 95%. ↓: less is better.</p>
{figures}
<h2>Failed questions ({count})</h2>
{failed}
</main>
</html>
"""


def page(groups: Sequence[Group], outcomes: Sequence[Outcome], about: Mapping[str, Any]) -> str:
    """The whole page. `groups` begins with that of all questions; `about` is `run.about`'s."""
    failed = [outcome for outcome in outcomes if outcome.failed]
    return _PAGE.format(
        about=_about(about),
        figures="\n".join(_figures(group) for group in shown(groups)),
        count=f"{len(failed)} of {len(outcomes)}",
        failed="\n".join(map(_failed, failed)) or "<p>None.</p>",
    )


def _about(about: Mapping[str, Any]) -> str:
    rows = ((name, _words(value)) for name, value in about.items())
    told = "".join(f"<dt>{escape(name)}</dt><dd>{escape(words)}</dd>" for name, words in rows)
    return f"<details><summary>Measured on and with</summary><dl>{told}</dl></details>"


def _words(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {_words(inner)}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_words, value))
    return "none" if value is None else str(value)


def _figures(group: Group) -> str:
    """A table of one group, a row a measure: narrow enough for a phone."""
    rows = "".join(_row(group, name) for name in LABELS)
    named = f"{escape(group.name)}: {group.questions} questions" + (f", {group.errors} broken" if group.errors else "")
    head = '<tr><th scope="col">measure<th scope="col">value (n)<th scope="col">interval</tr>'
    is_open = " open" if group.by == "overall" else ""
    return f"<details{is_open}><summary>{named}</summary><table>{head}{rows}</table></details>"


def _row(group: Group, name: str) -> str:
    value, interval = numbers(group.figures[name], digits(name))
    label = escape(LABELS[name]) + (" ↓" if name in LESS_IS_BETTER else "")
    return f'<tr><th scope="row">{label}<td>{value}<td>{interval}</tr>'


def _failed(outcome: Outcome) -> str:
    question = outcome.question
    parts = [
        f"<article><h3>{escape(question.question)}</h3>",
        f"<p>{escape(question.id)} · {escape(question.kind)} · {question.split}</p><dl>",
        *(_part(f"Earlier: {turn.question}", [turn.answer]) for turn in question.history),
        _part("Error", [outcome.error]) if outcome.error is not None else "",
        _answer(outcome.answer) if outcome.answer is not None else "",
        _part("Accepted", question.answers) if question.answerable else _part("Right", ["A refusal"]),
        _part("Gold evidence", question.evidence, quoted=True),
        "</dl></article>",
    ]
    return "".join(parts)


def _answer(answer: Answer) -> str:
    quotes = list(dict.fromkeys(citation.quote for sentence in answer.sentences for citation in sentence.citations))
    asked = [answer.standalone_question] if answer.standalone_question != answer.question else []
    named = f"{'Refused' if answer.abstained else 'Answered'} (confidence {answer.confidence:.2f})"
    return _part("Understood as", asked) + _part(named, [answer.text]) + _part("Cited", quotes, quoted=True)


def _part(name: str, texts: Sequence[str], quoted: bool = False) -> str:
    """A heading with its texts; nothing for no text."""
    tag = "blockquote" if quoted else "p"
    told = "".join(f"<{tag}>{escape(text)}</{tag}>" for text in texts)
    return f"<dt>{escape(name)}</dt><dd>{told}</dd>" if texts else ""
