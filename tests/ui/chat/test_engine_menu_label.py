"""The menu of engines: a server names its models as it likes."""

import pytest

from ui.chat.engine_menu import EngineChoice


@pytest.mark.parametrize(
    "name", ["ollama/http://evil.example/x", "ollama/www.evil.example", "ollama/a@evil.example"]
)
def test_engine_name_address_is_not_a_link(name: str) -> None:
    """An address is recognised in the finished text, so that no escape stops it."""
    shown = EngineChoice(name).label
    assert not any(start in shown.replace("\\", "") for start in ("://", "www.", "a@"))
    assert shown.replace("\\", "").replace("\u2060", "") == name
