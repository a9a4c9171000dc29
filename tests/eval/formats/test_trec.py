"""TREC topics and judgements, over a person's documents and over TREC's own."""

from pathlib import Path

import pytest

from eval.formats import ImportOptions, read
from qa.errors import DocumentError, FootnoteError, QuestionFileError
from tests.eval.formats.fixtures import ODD, mistakes, put, reads_back

TOPICS = """
<top>
<num> Number: 301
<title> Pets &amp; sleep

<desc> Description:
How long do cats sleep?

<narr> Narrative:
Relevant: 16 <title> hours.
</top>

<TOP>
<num>302</num>
<desc> Description: Who
barks?</desc>
</TOP>
<top><num> Number: 303 <title> Topic: birds </top>
"""
QRELS = (
    "301 0 cats.txt 1\n301 0 dogs 2\n301 0 gone 0\n302\t0\tdogs\t1\n303 0 dogs 0\n999 0 cats 1\n"
)
CORPUS = f"""<DOC>
<DOCNO> AP88-1 </DOCNO>
<HEAD>Cats &lt;sleep&gt;</HEAD>
<TEXT>
<P>Cats sleep &amp; purr.</P>
{ODD}
</TEXT>
<TEXT>They eat.</TEXT>
</DOC>
<DOC>
<DOCNO>AP88-2</DOCNO>
</DOC>
<doc>
<docno>dogs</docno>
<text>Dogs bark.</text>
</doc>
"""


def pets(folder: Path) -> Path:
    put(folder / "cats.txt", "Cats sleep.")
    put(folder / "sub" / "dogs.md", "# Dogs\n\nDogs bark.\n")
    return folder


def test_topics_over_a_persons_own_documents(tmp_path: Path) -> None:
    topics, qrels = (
        put(tmp_path / "topics.301", TOPICS),
        put(tmp_path / "q.txt", QRELS.replace("dogs", "sub/dogs")),
    )
    own = ImportOptions(documents=(pets(tmp_path / "own"),), qrels=str(qrels))
    found = read("trec", topics, own)
    assert [(each.id, each.question, each.kind, each.relevant) for each in found.questions] == [
        ("301", "Pets & sleep", "several-documents", {"cats.txt": 1, "sub/dogs.md": 2}),
        ("302", "Who barks?", "one-document", {"sub/dogs.md": 1}),
    ]
    assert all(
        each.answerable and not each.answers and not each.evidence for each in found.questions
    )
    assert found.notes == (
        "Questions left out, no document is judged relevant, so the answer is unknown: 1 (303).",
        "Queries with judgements that the file of queries lacks: 1.",
    )


def test_a_folder_with_a_corpus_of_trecs_own(tmp_path: Path) -> None:
    put(tmp_path / "set" / "topics.tsv", "301\tpets  that sleep\r\n302\tdogs\n")
    put(tmp_path / "set" / "qrels.txt", "301 Q0 AP88-1 3\n302 0 dogs 1\n302 0 AP88-2 1\n")
    put(tmp_path / "set" / "corpus", CORPUS)
    found = reads_back(read("trec", tmp_path / "set", ImportOptions()), tmp_path)
    assert [(each.name, each.title, each.text) for each in found.documents] == [
        ("AP88-1.txt", "Cats <sleep>", f"Cats sleep & purr.\n{ODD}\n\nThey eat."),
        ("dogs.txt", "dogs", "Dogs bark."),
    ]
    assert [(each.id, each.question, each.relevant) for each in found.questions] == [
        ("301", "pets that sleep", {"AP88-1.txt": 3}),
        ("302", "dogs", {"dogs.txt": 1}),
    ]
    assert found.notes == (
        "Blank documents, left out: 1.",
        "Judgements of blank documents, left out: 1.",
    )


def test_own_documents_and_a_corpus_of_one_name_stay_apart(tmp_path: Path) -> None:
    topics, qrels = (
        put(tmp_path / "topics", "1\tdogs"),
        put(tmp_path / "qrels", "1 0 dogs 1\n1 0 dogs.txt 1\n"),
    )
    own, corpus = put(tmp_path / "dogs.txt", "Dogs dig."), put(tmp_path / "ap.sgml", CORPUS)
    found = read("trec", topics, ImportOptions(documents=(own, corpus), qrels=str(qrels)))
    assert [document.name for document in found.documents] == [
        "dogs.txt",
        "AP88-1.txt",
        "dogs-2.txt",
    ]
    assert found.questions[0].relevant == {"dogs.txt": 1, "dogs-2.txt": 1}


def test_all_mistakes_are_told_at_once_with_line_numbers(tmp_path: Path) -> None:
    put(tmp_path / "topics", "1\tpets\nno tab\n7\t\n1\tagain\n")
    put(tmp_path / "qrels", "1 0 AP88-1 1\n1 0 none 1\n1 none 1\n1 0 AP88-1 x\n")
    put(
        tmp_path / "corpus.sgml",
        f"{CORPUS}<DOC>\n<TEXT>x</TEXT>\n</DOC>\n{CORPUS.splitlines()[0]}\n",
    )
    assert mistakes("trec", tmp_path) == [
        "topics line 2: a topic must have a number and a title, or an id, a tab and a query",
        "topics line 3: a topic must have a number and a title, or an id, a tab and a query",
        "topics line 4: line 1 has the topic '1' too",
        "corpus.sgml line 17: a document without <DOCNO>",
        "corpus.sgml line 20: a <DOC> without an end: the file is cut off",
        "qrels line 2: there is no document 'none'",
        "qrels line 3: must be topic, iteration, document and grade, with spaces between them",
        "qrels line 4: the grade must be a whole number, not 'x'",
    ]


def test_topics_in_sgml_are_told_by_the_lines_they_begin_on(tmp_path: Path) -> None:
    put(
        tmp_path / "topics",
        TOPICS + "<top>\n<title> no number\n</top>\n<top>\n<num> Number: 301 <title> x\n</top>",
    )
    put(tmp_path / "qrels", "301 0 AP88-1 1\n")
    put(tmp_path / "corpus", CORPUS)
    assert mistakes("trec", tmp_path) == [
        "topics line 19: a topic must have a number and a title, or an id, a tab and a query",
        "topics line 22: line 2 has the topic '301' too",
    ]
    put(tmp_path / "topics", "<topics></topics>")
    assert mistakes("trec", tmp_path) == ["topics line 1: begins as SGML, but has no <top>"]


def test_what_is_missing_is_asked_for(tmp_path: Path) -> None:
    topics = put(tmp_path / "topics", TOPICS)
    qrels = str(put(tmp_path / "qrels.a", QRELS))
    for path, options, told in [
        (topics, ImportOptions(), "Name the file of the judgements: --qrels FILE"),
        (topics, ImportOptions(qrels=qrels), "Name their folder: --documents PATH"),
        (tmp_path, ImportOptions(), "Name their folder: --documents PATH"),
    ]:
        with pytest.raises(FootnoteError, match=told):
            read("trec", path, options)
    put(tmp_path / "qrels.b", QRELS)
    with pytest.raises(QuestionFileError, match=r"one file qrels\*, not 2.*: qrels\.a, qrels\.b"):
        read("trec", tmp_path, ImportOptions())
    with pytest.raises(QuestionFileError, match="has no 'c'"):
        read("trec", tmp_path, ImportOptions(qrels="c"))
    with pytest.raises(QuestionFileError, match=r"one file topics\*, not 0"):
        read("trec", pets(tmp_path / "own"), ImportOptions())


def test_a_file_of_judgements_is_chosen_by_name(tmp_path: Path) -> None:
    put(tmp_path / "topics", "301\tpets")
    put(tmp_path / "qrels.a", "301 0 AP88-1 1")
    put(tmp_path / "qrels.b", "301 0 dogs 1")
    put(tmp_path / "corpus", CORPUS)
    found = read("trec", tmp_path, ImportOptions(qrels="qrels.b"))
    assert found.questions[0].relevant == {"dogs.txt": 1}


def test_two_own_documents_of_one_name_are_an_error(tmp_path: Path) -> None:
    topics, qrels = put(tmp_path / "topics", "1\tdogs"), put(tmp_path / "qrels", "1 0 a 1\n")
    own = (put(tmp_path / "x" / "a.txt", "Dogs."), put(tmp_path / "y" / "a.txt", "Cats."))
    with pytest.raises(DocumentError, match=r"Two documents have the name a\.txt"):
        read("trec", topics, ImportOptions(documents=own, qrels=str(qrels)))
