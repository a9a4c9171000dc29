"""The language of documents, questions and short lines; what is not sure is not known."""

import pytest

from qa.text.language import LANGUAGES, detect_language, language_name

GERMAN = "Das Museum öffnet um neun Uhr. Der Eintritt kostet fünf Euro."
JAPANESE = "博物館は九時に開きます。入場料は八百円です。"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("When does the museum open?", "en"),
        ("Wie hoch ist die Miete?", "de"),
        ("Quand ouvre le musée ?", "fr"),
        ("¿Cuánto cuesta la entrada?", "es"),
        ("Kto jest właścicielem?", "pl"),
        ("Музей открывается в девять.", "ru"),
        ("博物館は何時に開きますか。", "ja"),
        ("每月租金是一千二百元。", "zh"),
        ("박물관은 몇 시에 엽니까?", "ko"),
    ],
)
def test_detect_language_of_a_question(text: str, language: str) -> None:
    assert detect_language(text) == language


@pytest.mark.parametrize(
    "text", ["", "2024", "😀", "Reko Diq", "Who barks?", "Total: 1,200 EUR", "Munir?", "a b c"]
)
def test_detect_language_names_and_numbers_are_not_known(text: str) -> None:
    """No notice is given on a guess."""
    assert detect_language(text) in ("", "en")


def test_detect_language_reads_all_parts_of_a_long_text() -> None:
    """A long quotation at the beginning does not decide."""
    assert detect_language("The ferry leaves at nine. " * 100 + GERMAN * 1_000) == "de"
    assert detect_language(JAPANESE * 5_000) == "ja"


def test_language_name_of_every_code() -> None:
    assert language_name("de") == "German"
    assert language_name("") == ""
    assert all(len(code) == 2 for code in LANGUAGES)
