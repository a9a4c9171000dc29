"""Chooses the claims that the checking model is trained on, from all public sets."""

import random
from collections.abc import Mapping, Sequence
from pathlib import Path

from qa.models.embedding import Embedder
from qa.models.spans import SpanModel
from qa.training.claims import (
    TrainingClaim,
    claims_of_questions,
    claims_of_simplified_news,
    joined_claims,
    read_begin,
    read_fool_me_twice,
)
from qa.training.handmade_claims import handmade_claims
from qa.training.near_answers import with_plausible_answers
from qa.training.sources import Part, QuestionsBySource, TrainingQuestion, of_part
from qa.training.table_claims import (
    TABLE_FILES,
    claims_of_rows,
    claims_of_table_sentences,
    read_tables,
)

MAX_QUESTIONS: Mapping[str, int] = {
    "squad_train_a": 1500,
    "squad_train_b": 1300,
    "squad_train_d": 1300,
    "squadshifts_new_wiki": 1500,
    "nq_oracle": 1300,
    "qamr": 1700,
    "squad2_half": 2200,
    "qed": 1300,
    "squadshifts_reddit": 400,
}
"""How many questions of these sources become claims."""
MAX_CLAIMS = 12_000
"""Claims of these questions."""
MAX_NEAR_ANSWERS: Mapping[str, int] = {
    "squad2_train_unanswerable": 2500,
    "squad_train_a": 1200,
    "squadshifts_new_wiki": 1000,
}
"""How many questions of these sources are put to passages that do not answer them."""
MAX_IN_ALL = 27_200
"""Claims of one training, a random sample of all: about an hour on two cores."""
MAX_ROWS = 2500
"""Claims about rows of tables."""
MAX_TO_JOIN = 1000
"""Claims of questions that are joined in twos."""
SIMPLIFIED_SOURCE = "onestop_news"
CLAIMS_OF_PEOPLE = ("fm2/dev.jsonl",)
PEOPLE_REPEATS = 2
"""How often the claims that people wrote are in the training set."""
HANDMADE_REPEATS = 2
"""How often the claims about documents that were written for training are in it."""
DIALOGUES = ("begin/begin_dev_wow.tsv", "begin/begin_dev_tc.tsv", "begin/begin_dev_cmu.tsv")
FILES = (*CLAIMS_OF_PEOPLE, *DIALOGUES, *TABLE_FILES)
"""Files below the data folder, beside those of the question sets."""


def training_claims(
    questions: QuestionsBySource, data: Path, reader: SpanModel, embedder: Embedder, seed: int
) -> list[TrainingClaim]:
    """Returns the claims of one pass of training.

    They are made of questions, of answers that a careless reader gives, of tables, of dialogues and
    of simplified news, or written for training or by people; some are joined in twos.
    """
    to_train = of_part(questions, "train")
    chosen = _sample(to_train, MAX_QUESTIONS, seed)
    of_questions = claims_of_questions(chosen, seed)[:MAX_CLAIMS]

    without_answer: list[TrainingQuestion] = []
    for name, count in MAX_NEAR_ANSWERS.items():
        sample = _sample({name: to_train[name]}, {name: count}, seed)
        without_answer += with_plausible_answers(sample, reader)
    near_answers = claims_of_questions(without_answer, seed)

    news = claims_of_simplified_news(to_train[SIMPLIFIED_SOURCE], seed)
    to_join = of_questions[-MAX_TO_JOIN:]
    everything = [
        *of_questions,
        *near_answers,
        *handmade_claims("train", embedder) * HANDMADE_REPEATS,
        *table_claims(data, seed, "train"),
        *news,
        *joined_claims(news, seed),
        *joined_claims(to_join, seed),
        *read_claims(data, DIALOGUES),
        *read_claims(data, CLAIMS_OF_PEOPLE) * PEOPLE_REPEATS,
    ]
    sample_size = min(MAX_IN_ALL, len(everything))
    return random.Random(seed).sample(everything, sample_size)


def table_claims(data: Path, seed: int, part: Part) -> list[TrainingClaim]:
    """Returns the claims about tables of a part."""
    tables = read_tables(data)
    of_rows = claims_of_rows(list(tables.values()), seed)
    sentences = claims_of_table_sentences(data, tables, seed)
    chosen = [claim for claim in of_rows if claim.part == part][:MAX_ROWS]
    chosen += [claim for claim in sentences if claim.part == part]
    return chosen


def read_claims(data: Path, names: Sequence[str]) -> list[TrainingClaim]:
    """Returns the claims of some files below the data folder."""
    claims: list[TrainingClaim] = []
    for name in names:
        path = data / name
        # Fool Me Twice is JSON lines, BEGIN is tab-separated.
        claims += read_fool_me_twice(path) if path.suffix == ".jsonl" else read_begin(path)
    return claims


def _sample(
    questions: QuestionsBySource, counts: Mapping[str, int], seed: int
) -> list[TrainingQuestion]:
    """Returns so many questions of each source, in a random order."""
    rng = random.Random(seed)
    chosen: list[TrainingQuestion] = []
    for name, count in counts.items():
        rows = list(questions[name])
        rng.shuffle(rows)
        chosen += rows[:count]
    rng.shuffle(chosen)
    return chosen
