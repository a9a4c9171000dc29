"""Settings: flags before the environment before the defaults."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from qa.config import Settings
from qa.errors import FootnoteError

ENVIRON = {
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
    "QA_LLM_TOTAL_TIMEOUT": "90",
    "QA_STRICT": "Yes",
    "QA_PUBLIC_HOSTS": " A.example, 192.0.2.1 ,, 2001:db8::1",
}
SETTINGS = Settings(
    home=Path("/home/x"),
    index=Path("/ix"),
    embedding="m",
    reader="r",
    chroma_url="http://c:1",
    top_k=3,
    threshold=0.25,
    llm="openai-like/m",
    llm_url="http://m:2/v1",
    llm_key="secret",
    llm_context=2048,
    llm_timeout=2.5,
    llm_total_timeout=90.0,
    strict=True,
    public_hosts="a.example,192.0.2.1,2001:db8::1",
)


def test_settings_environment_sets_every_field() -> None:
    assert Settings.from_environment(ENVIRON) == SETTINGS
    assert {f"QA_{field.name.upper()}" for field in fields(Settings)} == set(ENVIRON)


def test_settings_flag_wins_over_its_variable() -> None:
    """A flag that is None counts as not given."""
    settings = Settings.from_environment(
        ENVIRON, top_k="5", threshold="0", home="/other", index=None
    )
    assert settings == replace(SETTINGS, top_k=5, threshold=0.0, home=Path("/other"))


def test_settings_as_environment_reads_back_equal() -> None:
    assert Settings.from_environment(SETTINGS.as_environment()) == SETTINGS


def test_settings_repr_shows_no_secret() -> None:
    assert "secret" not in repr(SETTINGS)
    assert "http://m:2" not in repr(SETTINGS)


def test_settings_empty_variable_counts_as_unset() -> None:
    assert Settings.from_environment({"QA_TOP_K": "", "QA_HOME": "/h"}) == Settings(Path("/h"))


def test_settings_store_prefers_server_then_folder() -> None:
    assert Settings(Path("/h")).store == Path("/h/index")
    assert Settings(Path("/h"), index=Path("/i")).store == Path("/i")
    assert Settings(Path("/h"), index=Path("/i"), chroma_url="http://c").store == "http://c"


@pytest.mark.parametrize("field", [field.name for field in fields(Settings)])
def test_settings_library_has_what_needs_other_models(field: str) -> None:
    """Only these five settings need another index or other models."""
    change: dict[str, Any] = {field: "changed"}
    changed = replace(Settings(Path("/h")), **change)
    needs_other_models = field in ("home", "index", "embedding", "reader", "chroma_url")
    assert (changed.loading_key != Settings(Path("/h")).loading_key) == needs_other_models


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
        ("QA_LLM_TOTAL_TIMEOUT", "0"),
        ("QA_STRICT", "maybe"),
        ("QA_PUBLIC_HOSTS", ","),
        ("QA_PUBLIC_HOSTS", "https://a.example"),
        ("QA_PUBLIC_HOSTS", "a.example:443"),
        ("QA_PUBLIC_HOSTS", "cafe:80"),
        ("QA_PUBLIC_HOSTS", "*.example"),
    ],
)
def test_settings_invalid_value_names_the_setting(name: str, value: str) -> None:
    with pytest.raises(FootnoteError, match=rf"{name.removeprefix('QA_').lower()}.*{name}"):
        Settings.from_environment({name: value})
