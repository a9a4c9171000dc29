"""Settings: flags before the environment before the defaults."""

from pathlib import Path

import pytest

from qa.config import Settings
from qa.errors import FootnoteError


def test_every_setting_is_read_from_the_environment_and_a_flag_wins() -> None:
    environ = {
        "QA_HOME": "/home/x",
        "QA_INDEX": "/ix",
        "QA_EMBEDDING": "m",
        "QA_READER": "r",
        "QA_CHROMA_URL": "http://c:1",
        "QA_TOP_K": "3",
        "QA_THRESHOLD": "0.25",
        "QA_LLM": "openai-like/m",
        "QA_LLM_URL": "http://m:2/v1",
        "QA_LLM_KEY": "secret",
        "QA_LLM_CONTEXT": "2048",
        "QA_LLM_TIMEOUT": "2.5",
        "QA_STRICT": "Yes",
    }
    found = Settings.from_environment(environ)
    model = ("openai-like/m", "http://m:2/v1", "secret", 2048, 2.5, True)
    assert found == Settings(Path("/home/x"), Path("/ix"), "m", "r", "http://c:1", 3, 0.25, *model)
    assert "secret" not in repr(found)
    flagged = Settings.from_environment(
        environ, top_k="5", threshold="0", home="/other", index=None
    )
    assert (flagged.top_k, flagged.threshold, flagged.home, flagged.index) == (
        5,
        0.0,
        Path("/other"),
        Path("/ix"),
    )


def test_an_empty_variable_is_none() -> None:
    assert Settings.from_environment({"QA_TOP_K": "", "QA_HOME": "/h"}) == Settings(Path("/h"))


def test_the_store_is_a_server_before_a_folder() -> None:
    assert Settings(Path("/h")).store == Path("/h/index")
    assert Settings(Path("/h"), index=Path("/i")).store == Path("/i")
    assert Settings(Path("/h"), index=Path("/i"), chroma_url="http://c").store == "http://c"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("QA_TOP_K", "0"),
        ("QA_TOP_K", "101"),
        ("QA_TOP_K", "some"),
        ("QA_THRESHOLD", "1.1"),
        ("QA_THRESHOLD", "-0.1"),
        ("QA_THRESHOLD", "nan"),
        ("QA_THRESHOLD", "high"),
        ("QA_LLM_CONTEXT", "100"),
        ("QA_LLM_TIMEOUT", "0"),
        ("QA_LLM_TIMEOUT", "nan"),
        ("QA_STRICT", "maybe"),
    ],
)
def test_a_value_out_of_range_is_named(name: str, value: str) -> None:
    with pytest.raises(FootnoteError, match=name.removeprefix("QA_").lower()):
        Settings.from_environment({name: value})
