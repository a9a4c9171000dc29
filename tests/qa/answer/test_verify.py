"""The check of each claim: its support, and the exact words that it rests on."""

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.answer.align import MAX_CITED_SENTENCES
from qa.answer.generate import Claim
from qa.answer.verify import SupportThresholds, Verifier
from qa.documents.passages import split
from qa.documents.sentences import segment
from qa.models.embedding import EncodingCache
from qa.models.entailment import EntailmentModel
from qa.types import AnswerSentence, Document, Passage, Span
from tests.properties import examples
from tests.qa.fakes import (
    CoverEntailment,
    WordEmbedder,
    snapshot_of,
    text_document,
    with_furniture_lines,
)
from tests.qa.texts import NEWS, texts

BRIDGE = text_document(
    "The bridge cost 48 million euros less than the tunnel. Ines Prado opened it on Tuesday, nine years late. "
    "“They knew in spring,” Beck said. The northern ramp is not open. About two thousand people came.",
    "bridge.txt",
)
FERRY = text_document("The ferry will stop in May. Its boats will be sold to Norra.", "ferry.txt")


class FixedEntailment:
    """The same log-odds for every pair; keeps the pairs."""

    def __init__(self, odds: float) -> None:
        self.odds = odds
        self.pairs: list[tuple[str, str]] = []

    def log_odds(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        self.pairs += pairs
        return [self.odds] * len(pairs)


def _passage(document: Document) -> Passage:
    return Passage(document, Span(0, len(document.text)))


def _check(
    *claims: tuple[str, list[Document]],
    documents: tuple[Document, ...] = (BRIDGE, FERRY),
    odds: float | None = None,
) -> list[AnswerSentence]:
    passages = {document.name: _passage(document) for document in documents}
    snapshot = snapshot_of(list(passages.values()), documents)
    entailment: EntailmentModel = CoverEntailment() if odds is None else FixedEntailment(odds)
    verifier = Verifier(EncodingCache(WordEmbedder()), entailment, SupportThresholds(0.2, 0.5))
    made = [
        Claim(text, tuple(passages[document.name] for document in cited)) for text, cited in claims
    ]
    checked = verifier.check(made, list(passages.values()), snapshot)
    return [claim.sentence for claim in checked]


def _one(text: str, *cited: Document, odds: float | None = None) -> AnswerSentence:
    (sentence,) = _check((text, list(cited)), odds=odds)
    return sentence


def _quotes(sentence: AnswerSentence) -> list[str]:
    return [citation.quote for citation in sentence.citations]


@pytest.mark.parametrize(
    "text",
    [
        "The ferry will stop in May.",
        "the  ferry will stop in May",
        "“The ferry will stop in May.”",
    ],
)
def test_sentence_of_the_documents_is_verbatim(text: str) -> None:
    sentence = _one(text, FERRY)
    assert (sentence.support, _quotes(sentence)) == ("verbatim", ["The ferry will stop in May."])


def test_verbatim_overrules_the_entailment_model() -> None:
    assert _one("The ferry will stop in May.", FERRY, odds=-9.0).support == "verbatim"


@pytest.mark.parametrize(
    "text",
    [
        "The bridge cost 48 million euros.",
        "They knew in spring.",
        "Open.",
        "No.",
        "Art",
        "The northern ramp is",
    ],
)
def test_part_of_a_sentence_is_not_verbatim(text: str) -> None:
    """It may say the opposite of the whole: the model reads both."""
    assert _one(text, BRIDGE, odds=-9.0).support == "unsupported"
    assert _one(text, BRIDGE, odds=9.0).support in ("supported", "unsupported")


@pytest.mark.parametrize(
    ("odds", "support", "cited"),
    [(3.0, "supported", 1), (0.0, "supported", 1), (-1.0, "weak", 1), (-3.0, "unsupported", 0)],
)
def test_probability_decides_the_support(odds: float, support: str, cited: int) -> None:
    sentence = _one("Prado opened the crossing on Tuesday.", BRIDGE, odds=odds)
    assert (sentence.support, len(sentence.citations)) == (support, cited)


def test_claim_with_wrong_passage_cites_the_right_one() -> None:
    sentence = _one("The boats will be sold to Norra.", BRIDGE)
    assert (sentence.support, _quotes(sentence)) == (
        "supported",
        ["Its boats will be sold to Norra."],
    )
    assert sentence.citations[0].document == "ferry.txt"


def test_claim_without_marker_gets_its_citation() -> None:
    sentence = _one("The boats will be sold to Norra.")
    assert (sentence.support, _quotes(sentence)) == (
        "supported",
        ["Its boats will be sold to Norra."],
    )


def test_claim_found_nowhere_has_no_citation() -> None:
    sentence = _one("Elephants can swim for hours.")
    assert (sentence.support, sentence.citations) == ("unsupported", ())


def test_check_of_no_claims_or_no_passages() -> None:
    assert _check() == []
    assert [one.support for one in _check(("Anything at all.", []), documents=())] == [
        "unsupported"
    ]


def test_check_of_page_furniture_only_is_unsupported() -> None:
    lines = ("Subscribe to our newsletter", "Sign up here")
    menu = with_furniture_lines(text_document("\n".join(lines), "menu.txt"), *lines)
    assert [one.support for one in _check(("Anything.", [menu]), documents=(menu,))] == [
        "unsupported"
    ]


@pytest.mark.parametrize(
    ("text", "document"),
    [
        ("The bridge cost 84 million euros less than the tunnel.", BRIDGE),
        ("About three thousand people came.", BRIDGE),
        ("The ferry will stop in June.", FERRY),
        ("Ines Prado opened it on Monday, nine years late.", BRIDGE),
        ("“They knew in winter,” Beck said.", BRIDGE),
        ("The bridge cost 48 million euros less than the tunnel, 10 years late.", BRIDGE),
    ],
)
def test_missing_number_date_or_quotation_is_unsupported(text: str, document: Document) -> None:
    sentence = _one(text, document, odds=9.0)
    assert (sentence.support, sentence.citations) == ("unsupported", ())


@pytest.mark.parametrize(
    "text",
    [
        "About 2,000 people came.",
        "Beck said “they knew in spring”.",
        'Beck said "They knew in spring".',
        "Ines Prado opened it 9 years late.",
    ],
)
def test_number_and_quotation_in_another_form_are_found(text: str) -> None:
    assert _one(text, BRIDGE, odds=9.0).support == "supported"


def test_quotation_may_lose_markdown_but_not_half_a_word() -> None:
    document = text_document(
        "Beck said: “They **knew** in spring and summer.”", "x.md", markdown=True
    )
    (kept,) = _check(
        ("Beck said “they knew in spring”.", [document]), documents=(document,), odds=9.0
    )
    (cut,) = _check(("Beck said “they knew in spri”.", [document]), documents=(document,), odds=9.0)
    assert (kept.support, cut.support) == ("supported", "unsupported")


def test_name_that_no_passage_has_is_unsupported() -> None:
    """Whatever the entailment model says: small models invent who did it."""
    sentence = _one("Ines Prado and Olaf Thorsen opened the bridge on Tuesday.", BRIDGE, odds=9.0)
    assert (sentence.support, sentence.citations) == ("unsupported", ())


def test_name_in_the_title_is_not_missing() -> None:
    """The sentence that supports a claim rarely repeats the name in the title above it."""
    ferry = replace(FERRY, title="News from Skarholm")
    (sentence,) = _check(
        ("The Skarholm ferry will stop in May.", [ferry]), documents=(ferry,), odds=9.0
    )
    assert sentence.support == "supported"


def test_negation_is_left_to_the_entailment_model() -> None:
    assert _one("The northern ramp is open.", BRIDGE).support == "unsupported"


def test_entailment_model_reads_the_sentence_before_too() -> None:
    one, other = (text_document(f"{name} opened the {thing}. It cost 9 euros then.", f"{name}.txt")
                  for name, thing in (("Anna", "gate"), ("Dora", "door")))  # fmt: skip
    passages = [_passage(one), _passage(other)]
    entailment = FixedEntailment(9.0)
    snapshot = snapshot_of(passages, (one, other))
    verifier = Verifier(EncodingCache(WordEmbedder()), entailment)
    verifier.check(
        [Claim("Anna opened the gate and Dora the door.", tuple(passages))], passages, snapshot
    )
    ((_, evidence),) = entailment.pairs
    assert "Anna opened the gate." in evidence
    assert "Dora opened the door." in evidence


def test_duplicate_is_cited_only_if_its_original_is_unseen() -> None:
    said = "“This bridge belongs to the people who waited for it and nobody will ever pay to cross it,” Prado said."
    repeat = (
        "This bridge belongs to the people who waited for it and nobody will ever pay to cross it."
    )
    document = text_document(f"{repeat}\n{said}\n", "quote.txt")
    quote_start = document.text.index("“")
    passages = [
        Passage(document, Span(0, quote_start)),
        Passage(document, Span(quote_start, len(document.text))),
    ]
    snapshot = snapshot_of(passages, [document])
    verifier = Verifier(EncodingCache(WordEmbedder()), CoverEntailment())
    for seen, support, quote in ((passages, "supported", said), (passages[:1], "verbatim", repeat)):
        (checked,) = verifier.check([Claim(repeat, (passages[0],))], seen, snapshot)
        sentence = checked.sentence
        assert (sentence.support, _quotes(sentence)) == (support, [quote])


def test_claim_has_at_most_three_citations_each_once() -> None:
    text = " ".join(
        f"Item {word} is {word}er." for word in "alpha beta gamma delta epsilon zeta".split()
    )
    document = text_document(text, "items.txt")
    (sentence,) = _check(
        ("Alpha, beta, gamma, delta, epsilon and zeta.", [document]),
        documents=(document,),
        odds=9.0,
    )
    assert len(sentence.citations) == MAX_CITED_SENTENCES == len(set(sentence.citations))


def _is_exact(sentences: list[AnswerSentence], passages: list[Passage]) -> None:
    for sentence in sentences:
        # A row of a table is cited with its header.
        assert len(sentence.citations) <= 2 * MAX_CITED_SENTENCES
        assert bool(sentence.citations) == (sentence.support != "unsupported")
        for citation in sentence.citations:
            within = [
                passage
                for passage in passages
                if passage.document.name == citation.document
                and passage.span.start <= citation.start < citation.end <= passage.span.end
            ]
            assert within
            assert within[0].document.text[citation.start : citation.end] == citation.quote
            assert citation.quote == citation.quote.strip() != ""


@pytest.mark.slow
@examples(80)
@given(
    st.lists(texts.filter(str.strip), min_size=1, max_size=3),
    st.lists(
        st.one_of(
            texts.filter(lambda text: any(map(str.isalnum, text))),
            st.sampled_from(NEWS.split(". ")),
        ),
        max_size=4,
    ),
    st.randoms(use_true_random=False),
    st.sampled_from([-9.0, 0.0, 9.0]),
)
def test_citations_of_any_claim_are_exact_and_seen(
    given_texts: list[str], claims: list[str], rng: random.Random, odds: float
) -> None:
    documents = [
        text_document(text, f"{n}.txt", markdown=n % 2 == 0)
        for n, text in enumerate([NEWS, *given_texts])
    ]
    passages = [
        passage
        for one in documents
        for passage in split(one, segment(one), WordEmbedder().count_tokens, 30)
    ]
    snapshot = snapshot_of(passages, documents)
    seen = rng.sample(passages, rng.randint(1, len(passages)))
    made = [
        Claim(" ".join(text.split()), tuple(rng.sample(seen, rng.randint(0, min(3, len(seen))))))
        for text in claims
    ]
    verifier = Verifier(EncodingCache(WordEmbedder()), FixedEntailment(odds))
    sentences = [claim.sentence for claim in verifier.check(made, seen, snapshot)]
    assert [sentence.text for sentence in sentences] == [claim.text for claim in made]
    _is_exact(sentences, seen)


def test_claim_over_two_sentences_cites_each_whole() -> None:
    """Each sentence that the claim rests on has a citation of its exact words."""
    claim = "The ferry will stop in May and its boats will be sold to Norra."
    sentence = _one(claim, FERRY, odds=9.0)
    assert _quotes(sentence) == ["The ferry will stop in May.", "Its boats will be sold to Norra."]


def test_row_supports_with_the_names_of_its_columns() -> None:
    """The header is cited too: without it the row does not say what the claim says."""
    text = "| Plan | Price | Seats |\n|---|---|---|\n| Pro | $12 | 20 |\n| Team | $40 | 90 |\n"
    plans = text_document(text, "plans.md", "Plans", markdown=True)
    (sentence,) = _check(("The Pro plan has a price of $12.", [plans]), documents=(plans,))
    assert sentence.support == "supported"
    assert _quotes(sentence) == ["| Plan | Price | Seats |", "| Pro | $12 | 20 |"]


CHANGES = Document(
    name="changes.md",
    source="changes.md",
    title="Changes",
    text="## May 2023\n\nThe map was added.\n\n## June 2024\n\nLegends are new.\n\nThe map was taken out again.\n",
    markdown=True,
)


@pytest.mark.parametrize(
    ("claim", "quotes"),
    [
        ("The map was taken out in June 2024.", ["June 2024", "The map was taken out again."]),
        ("The map was taken out.", ["The map was taken out again."]),
        ("The map was taken out in June 2025.", []),
    ],
)
def test_heading_has_the_date_that_its_sentence_lacks(claim: str, quotes: list[str]) -> None:
    passage = _passage(CHANGES)
    snapshot = snapshot_of([passage], (CHANGES,))
    entailment = FixedEntailment(3.0)
    verifier = Verifier(EncodingCache(WordEmbedder()), entailment)
    (checked,) = verifier.check([Claim(claim, ())], [passage], snapshot)
    assert [quote.strip("# \n") for quote in _quotes(checked.sentence)] == quotes
    read_headings = [evidence for _, evidence in entailment.pairs if "June 2024" in evidence]
    assert bool(read_headings) == ("June 2024" in quotes)


@pytest.mark.parametrize(
    ("claim", "read"),
    [
        ("On Tuesday.", "When was the bridge opened? On Tuesday."),
        ("Ines Prado opened the bridge.", "Ines Prado opened the bridge."),
    ],
)
def test_a_bare_value_is_read_after_its_question(claim: str, read: str) -> None:
    passage = _passage(BRIDGE)
    snapshot = snapshot_of([passage], (BRIDGE,))
    entailment = FixedEntailment(3.0)
    verifier = Verifier(EncodingCache(WordEmbedder()), entailment)
    verifier.check([Claim(claim, (), "When was the bridge opened?")], [passage], snapshot)
    assert {pair[0] for pair in entailment.pairs} == {read}
