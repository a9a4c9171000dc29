"""The models that programs on this machine serve, over real connections."""

import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import cycle
from typing import Any

import pytest

from qa.llm import local
from qa.llm.http import TimeLimits
from qa.llm.local import LocalModel, find_local_models
from tests.qa.llm.scripted import (
    JSON,
    Hang,
    Part,
    Reply,
    ScriptedServer,
    elapsed,
    json_reply,
)

BLOCK = b"x" * 100_000
PATIENT = 20.0
"""Seconds that no test takes."""


@contextmanager
def programs(
    monkeypatch: pytest.MonkeyPatch, replies: Mapping[str, Reply], seconds: float = PATIENT
) -> Iterator[dict[str, ScriptedServer]]:
    """Serves the list of each named program at a free port; no other program runs."""
    monkeypatch.setattr(local, "LIMITS", TimeLimits(seconds, seconds))
    with ExitStack() as stack, socket.create_server(("127.0.0.1", 0)) as free:
        closed_port = free.getsockname()[1]
        free.close()
        servers, moved = {}, []
        for program in local.PROGRAMS:
            path = program.url.partition("/v1")[1] + program.path
            address = f"http://127.0.0.1:{closed_port}"
            if program.name in replies:
                server = ScriptedServer({path: replies[program.name]})
                servers[program.name] = stack.enter_context(server)
                address = server.url
            url = address + program.url.partition("/v1")[1]
            moved.append(replace(program, url=url))
        monkeypatch.setattr(local, "PROGRAMS", tuple(moved))
        yield servers


def names(found: local.LocalModels) -> list[str]:
    return [model.name for model in found.models]


def ollama_list(*models: Any) -> Reply:
    return json_reply({"models": list(models)})


def openai_list(*entries: Mapping[str, Any]) -> Reply:
    return json_reply({"object": "list", "data": list(entries)})


def test_programs_are_at_loopback_addresses_and_usual_ports() -> None:
    """Nothing else is asked, and no name is looked up."""
    urls = [program.url for program in local.PROGRAMS]
    assert urls == [
        "http://127.0.0.1:11434",
        "http://127.0.0.1:1234/v1",
        "http://127.0.0.1:8080/v1",
        "http://127.0.0.1:8000/v1",
    ]


def test_find_lists_models_of_each_program(monkeypatch: pytest.MonkeyPatch) -> None:
    replies = {
        "Ollama": ollama_list({"name": "llama3.2:latest"}, {"name": "phi4"}),
        "LM Studio": openai_list({"id": "qwen"}, {"id": "text-embedding-nomic"}),
        "llama.cpp": openai_list({"id": "tiny", "meta": {"n_ctx": 4096}}),
        "vLLM": openai_list({"id": "a/b", "max_model_len": 8192}),
    }
    with programs(monkeypatch, replies) as servers:
        found = find_local_models()
    assert found.models == (
        LocalModel("ollama/llama3.2:latest", servers["Ollama"].url),
        LocalModel("ollama/phi4", servers["Ollama"].url),
        LocalModel("openai-like/qwen", f"{servers['LM Studio'].url}/v1"),
        LocalModel("openai-like/tiny", f"{servers['llama.cpp'].url}/v1", 4096),
        LocalModel("openai-like/a/b", f"{servers['vLLM'].url}/v1", 8192),
    )
    assert found.notices == ()


def test_find_sends_a_single_request_without_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a key of the environment nor a proxy sees the request."""
    for variable in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "QA_LLM_KEY"):
        monkeypatch.setenv(variable, "sk-secret")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with programs(monkeypatch, {"LM Studio": openai_list({"id": "qwen"})}) as servers:
        assert names(find_local_models()) == ["openai-like/qwen"]
    (asked,) = servers["LM Studio"].asked
    assert (asked.method, asked.path, asked.body) == ("GET", "/v1/models", b"")
    assert "sk-secret" not in str(asked.headers)


def test_find_asks_all_programs_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    silent = Reply(before=(Hang(),))
    replies = {program.name: silent for program in local.PROGRAMS}
    with programs(monkeypatch, replies, seconds=0.5):
        start = time.monotonic()
        found = find_local_models()
        assert elapsed(start) < 1.5
    assert found.models == ()
    assert len(found.notices) == len(local.PROGRAMS)


def test_find_without_any_program_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    with programs(monkeypatch, {}):
        assert find_local_models() == local.LocalModels()


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        (json_reply({"error": "Loading model"}, 503), "still starting"),
        (json_reply({"error": "Unauthorized"}, 401), "needs a key. Set QA_LLM_KEY"),
        (Reply(before=(Hang(),)), "does not answer now"),
    ],
)
def test_server_that_cannot_list_is_a_notice(
    monkeypatch: pytest.MonkeyPatch, reply: Reply, sentence: str
) -> None:
    with programs(monkeypatch, {"vLLM": reply}, seconds=0.5) as servers:
        found = find_local_models()
    (notice,) = found.notices
    assert sentence in notice
    assert servers["vLLM"].address in notice


@pytest.mark.parametrize(
    "reply",
    [
        Reply([b"<html>"], 403, "text/html"),
        Reply([b"<html>"], 503, "text/html"),
        Reply([b"<html>Hello</html>"], kind="text/html"),
        json_reply({"detail": "Not Found"}, 404),
        json_reply([1, 2]),
        json_reply({"data": "x", "models": 3}),
        json_reply({"data": [None, {"id": 3}, {}, "x"], "models": [None, {"name": 3}, "x"]}),
    ],
)
def test_another_program_at_these_ports_is_ignored(
    monkeypatch: pytest.MonkeyPatch, reply: Reply
) -> None:
    with programs(monkeypatch, {"Ollama": reply, "llama.cpp": reply}):
        assert find_local_models() == local.LocalModels()


def test_redirect_of_a_local_server_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer({"/v1/models": openai_list({"id": "x"})}) as elsewhere:
        redirect = Reply(status=307, headers={"Location": f"{elsewhere.url}/v1/models"})
        with programs(monkeypatch, {"LM Studio": redirect}):
            assert find_local_models() == local.LocalModels()
    assert elsewhere.asked == []


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("/home/ann/models/qwen.gguf", "qwen.gguf"),
        ("C:\\models\\qwen.gguf", "qwen.gguf"),
        ("org/qwen", "org/qwen"),
    ],
)
def test_path_of_a_file_is_shown_without_its_folders(
    monkeypatch: pytest.MonkeyPatch, name: str, shown: str
) -> None:
    listed = openai_list({"id": name, "owned_by": "llamacpp"})
    with programs(monkeypatch, {"llama.cpp": listed}):
        assert names(find_local_models()) == [f"openai-like/{shown}"]


def test_setting_of_a_model_can_be_pasted_in_a_shell() -> None:
    model = LocalModel("openai-like/my model", "http://127.0.0.1:1234/v1")
    assert model.setting == "QA_LLM='openai-like/my model' QA_LLM_URL=http://127.0.0.1:1234/v1"


# Hostile lists


def test_half_character_of_a_local_model_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = ollama_list({"name": "a\ud83d"}, {"name": None}, 7, {"name": ""}, {})
    with programs(monkeypatch, {"Ollama": listed}):
        assert names(find_local_models()) == ["ollama/a\ufffd"]


@pytest.mark.parametrize("parts", [[BLOCK], [0.05], [b"x", 0.05]])
def test_local_models_without_end_are_none(
    monkeypatch: pytest.MonkeyPatch, parts: list[Part]
) -> None:
    """The list that drips ends at a total limit: a limit for each read never would."""
    reply = Reply(cycle(parts), kind=JSON)
    with programs(monkeypatch, {"Ollama": reply}, local.LIMITS.total) as servers:
        assert find_local_models().models == ()
        assert servers["Ollama"].gone.wait(1.5)


def test_local_models_with_odd_names_are_not_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    odd = ("x" * 201, "a\nb", "a\x1bb", "a\u202eb", "phi4")
    with programs(monkeypatch, {"Ollama": ollama_list(*[{"name": name} for name in odd])}):
        assert names(find_local_models()) == ["ollama/phi4"]


def test_local_models_are_at_most_200(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = ollama_list(*[{"name": f"m{number}"} for number in range(1000)])
    with programs(monkeypatch, {"Ollama": listed}):
        assert len(find_local_models().models) == local.MAX_MODELS
