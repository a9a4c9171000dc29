"""The command line: what is printed where, and the exit codes."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from qa.answer.content import NOT_SURE
from qa.answer.conversation import HELLO
from qa.bot import Bot
from qa.cli import main
from qa.config import Settings
from qa.library.index import Index
from qa.llm.local import PROGRAMS, LocalModel, LocalModels
from qa.llm.providers import PROVIDERS
from tests.qa.fakes import WordEmbedder, text_document, word_bot

BRIDGE = "The bridge over the bay cost 48 million euros.\nIt opened on Tuesday.\n"
HEAVY = (
    "torch",
    "sentence_transformers",
    "transformers",
    "chromadb",
    "llama_index",
    "numpy",
    "streamlit",
)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with a document, and a library of its own below it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QA_HOME", str(tmp_path / "home"))
    Path("bridge.txt").write_text(BRIDGE)
    return tmp_path


@pytest.fixture
def words(here: Path, monkeypatch: pytest.MonkeyPatch) -> WordEmbedder:
    """The bot of the commands counts words instead of loading a model; gives its embedder."""
    bot = word_bot(here / "home")
    monkeypatch.setattr(Bot, "open", lambda _: bot)
    embedder: Any = bot._embedder
    return embedder  # type: ignore[no-any-return]  # word_bot's own


def test_help_loads_nothing_heavy() -> None:
    check = f"import sys, qa.cli as m; m._parser(); sys.exit(any(name in sys.modules for name in {HEAVY}))"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
    assert (
        "ask"
        in subprocess.run(
            [sys.executable, "-m", "qa", "--help"], capture_output=True, text=True
        ).stdout
    )


@pytest.mark.slow
def test_the_whole_chain_in_a_process_of_its_own_without_any_socket(here: Path) -> None:
    """A real process that cannot open a connection adds a file and answers from it."""
    code = (
        "import socket, sys\n"
        "def refuse(*_, **__): raise SystemExit('a connection was tried')\n"
        "socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse\n"
        "from qa.cli import main\n"
        "sys.exit(main(['ask', '--threshold', '0', '--json', '--documents', 'bridge.txt', 'What was the cost?']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    (citation,) = answer["sentences"][0]["citations"]
    assert citation["quote"] == BRIDGE[citation["start"] : citation["end"]] == BRIDGE.split("\n")[0]


@pytest.mark.usefixtures("words")
def test_adding_listing_asking_and_removing(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for outcome in ("added", "unchanged"):
        assert main(["add", "bridge.txt"]) == 0
        assert capsys.readouterr().out == f"{outcome} bridge.txt\n"
    assert main(["list"]) == 0
    assert capsys.readouterr().out.startswith("bridge.txt\t")
    assert main(["ask", "What did the bridge cost?"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("The bridge over the bay cost 48 million euros.[1]")
    assert (
        "[1] bridge (bridge.txt, characters 0-46): “The bridge over the bay cost 48 million euros.”"
        in told
    )
    assert main(["remove", "bridge.txt"]) == 0
    assert main(["list"]) == 0
    assert "bridge.txt\t" not in capsys.readouterr().out
    assert main(["remove", "bridge.txt"]) == 2
    assert "footnote list" in capsys.readouterr().err


@pytest.mark.usefixtures("words")
def test_list_and_footnotes_show_the_date(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("bridge.txt").rename("bridge 2024-03.txt")
    assert main(["add", "bridge 2024-03.txt"]) == 0
    capsys.readouterr()
    assert main(["list"]) == 0
    assert capsys.readouterr().out.rstrip("\n").split("\t")[-1] == "2024-03"
    assert main(["ask", "What did the bridge cost?"]) == 0
    assert "(bridge 2024-03.txt, 2024-03, characters 0-46)" in capsys.readouterr().out
    assert main(["ask", "--json", "What did the bridge cost?"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["sentences"][0]["citations"][0]["date"] == "2024-03"


@pytest.mark.usefixtures("words", "here")
def test_add_reports_page_furniture_and_show_lists_it(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is left out in silence, and a page that is added by itself keeps its furniture."""
    Path("site").mkdir()
    for number, fact in enumerate(("The ferry leaves.", "The mill closed.", "The lake froze.")):
        page = f"<p>{fact}</p><p>Join us today</p>"
        Path(f"site/{number}.html").write_text(f"<body>{page}</body>")
    assert main(["add", "site"]) == 0
    furniture = "  1 line of page furniture is not searched: footnote show 0.html\n"
    assert capsys.readouterr().out.startswith(f"added 0.html\n{furniture}added 1.html\n")

    assert main(["show", "0.html"]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == ["line 3: Join us today"]
    assert main(["add", "bridge.txt"]) == 0
    assert main(["show", "bridge.txt"]) == 0
    assert capsys.readouterr().out.endswith("Every line of bridge.txt is searched.\n")
    assert main(["show", "none.txt"]) == 2


@pytest.mark.usefixtures("words", "here")
def test_add_and_list_say_the_language(capsys: pytest.CaptureFixture[str]) -> None:
    """Once for all documents of an addition; English documents have no notice."""
    Path("museum.txt").write_text("Das Museum öffnet um neun Uhr. Der Eintritt ist kostenlos.\n")
    Path("hafen.txt").write_text("Die Fähre fährt um acht Uhr ab. Sie ist im Winter geschlossen.\n")
    assert main(["add", "museum.txt", "hafen.txt", "bridge.txt"]) == 0
    printed = capsys.readouterr().out
    assert printed.count("2 documents are in German.") == 1
    assert "QA_EMBEDDING" in printed
    assert main(["list"]) == 0
    languages = [line.split("\t")[-1] for line in capsys.readouterr().out.splitlines()]
    assert languages == ["English", "German", "German"]


def test_an_unchanged_document_is_not_embedded_again(here: Path, words: WordEmbedder) -> None:
    assert main(["add", "bridge.txt"]) == 0
    embedded = list(words.encoded)
    assert embedded
    assert main(["add", "bridge.txt"]) == 0
    assert words.encoded == embedded


@pytest.mark.usefixtures("words")
def test_add_folder_says_what_is_gone_and_prune_removes_it(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = here / "docs"
    folder.mkdir()
    Path("docs/mill.txt").write_text("The mill grinds rye.")
    Path("docs/pier.txt").write_text("The pier is long.")
    assert main(["add", "docs"]) == 0
    Path("docs/mill.txt").unlink()
    capsys.readouterr()

    assert main(["add", "docs"]) == 0
    printed = capsys.readouterr()
    assert printed.out == "unchanged pier.txt\ngone mill.txt\n"
    assert "Files that are gone: 1." in printed.err
    assert "footnote add --prune" in printed.err

    assert main(["add", "--prune", "docs"]) == 0
    assert capsys.readouterr().out == "unchanged pier.txt\nremoved mill.txt\n"
    assert main(["list"]) == 0
    assert "mill.txt" not in capsys.readouterr().out


@pytest.mark.usefixtures("words")
def test_a_refusal_is_told_plainly_and_is_no_failure(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ask", "Who built it?"]) == 0
    assert "no documents" in capsys.readouterr().out


def test_ask_unsure_prints_the_nearest_sentence(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In words that nobody takes for an answer, with the quote of its footnote."""
    document = text_document("The bridge cost 48 million euros.", "bridge.txt")
    bot = word_bot(here / "home", document, threshold=1.0)
    monkeypatch.setattr(Bot, "open", lambda _: bot)
    assert main(["ask", "What did the bridge cost?"]) == 0
    cost = "The bridge cost 48 million euros."
    assert capsys.readouterr().out == (
        f"{NOT_SURE}\n\nThe nearest is:\n{cost}[1]\n\n"
        f"[1] A title (bridge.txt, characters 0-33): “{cost}”\n"
    )


@pytest.mark.usefixtures("words")
def test_ask_greeting_prints_the_reply(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["add", "bridge.txt"]) == 0
    capsys.readouterr()
    assert main(["ask", "Hello"]) == 0
    assert capsys.readouterr().out == f"{HELLO}\nI answer from 1 document: bridge.\n"


def test_add_unsplittable_file_others_are_added(
    words: WordEmbedder, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file with too many sentences is an error of that file only."""
    Path("a.txt").write_text("a\n\n" * 250_001)
    assert main(["add", "a.txt", "bridge.txt"]) == 2
    printed = capsys.readouterr()
    assert printed.out == "added bridge.txt\n"
    assert "a.txt has more than 250,000 sentences" in printed.err


@pytest.mark.usefixtures("words")
@pytest.mark.parametrize(
    ("path", "words_of_error"),
    [
        ("missing.txt", "does not exist"),
        ("empty.txt", "is empty"),
        ("binary.txt", "binary"),
        ("latin.txt", "iconv"),
        ("nothing", "holds no file"),
        ("page.exe", "cannot read files of this type"),
    ],
)
def test_a_bad_file_is_one_line_and_the_others_are_added(
    here: Path, path: str, words_of_error: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("empty.txt").write_text("")
    Path("binary.txt").write_bytes(bytes(range(256)))
    Path("latin.txt").write_bytes("Caf\xe9 society".encode("latin-1"))
    Path("page.exe").write_text("x")
    Path("nothing").mkdir()
    assert main(["add", path, "bridge.txt"]) == 2
    told = capsys.readouterr()
    assert told.out == "added bridge.txt\n"
    assert words_of_error in told.err
    assert told.err.startswith("footnote: ")
    assert told.err.count("\n") == 1


@pytest.mark.usefixtures("words")
def test_an_answer_over_files_that_cannot_all_be_read_is_not_given(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ask", "--documents", "bridge.txt", "missing.txt", "--", "What did it cost?"]) == 2
    assert capsys.readouterr().out == ""


def test_an_index_of_another_model_names_the_rebuild(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Index(Settings.from_environment().home / "index", WordEmbedder("another")).add(
        text_document(BRIDGE)
    )
    assert main(["ask", "What did it cost?"]) == 2
    told = capsys.readouterr().err
    assert "footnote rebuild" in told
    assert told.count("\n") == 1


def test_a_damaged_index_and_a_place_without_writes_are_one_line_each(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = here / "home" / "index"
    damaged.mkdir(parents=True)
    (damaged / "chroma.sqlite3").write_bytes(b"garbage" * 999)
    assert main(["list"]) == 2
    Path("file").write_text("")
    assert main(["list", "--home", "file/below"]) == 3
    told = capsys.readouterr().err
    assert told.count("\n") == 2
    assert "mv " in told
    assert "QA_HOME" in told


@pytest.mark.usefixtures("words")
@pytest.mark.parametrize(
    "arguments", [["--documents", "bridge.txt", "What?"], ["What?", "--documents", "bridge.txt"]]
)
def test_the_question_may_stand_before_or_after_the_documents(
    here: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ask", "--json", *arguments]) == 0
    assert json.loads(capsys.readouterr().out)["question"] == "What?"


@pytest.mark.parametrize("arguments", [[], ["--documents", "bridge.txt"]])
def test_no_question_is_bad_usage(
    here: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ask", *arguments]) == 2
    assert "no question" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["--top-k", "0"], ["--threshold", "high"], ["--engine", "unknown/model"]]
)
def test_a_setting_out_of_range_is_bad_usage(
    here: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ask", *arguments, "Who?"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.usefixtures("words")
@pytest.mark.parametrize(
    "arguments",
    [
        ["add", "caf\udce9.txt"],
        ["add", "a" * 300 + ".txt"],
        ["add", "pipe.txt"],
        ["add", "nul\0.txt"],
        ["add", "deep.txt"],
        ["ask", "Who is \udcff?"],
        ["list", "--home", "~nobody-of-this-name/x"],
    ],
)
def test_odd_names_questions_and_sidecars_are_one_line_each(
    here: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("caf\udce9.txt").write_text("Some text.")
    os.mkfifo("pipe.txt")
    Path("deep.txt").write_text("Some text.")
    Path("deep.txt.meta.json").write_text("[" * 200_000)
    assert main(arguments) == 2
    told = capsys.readouterr().err
    assert told.startswith("footnote: ")
    assert told.count("\n") == 1


def test_what_nobody_expected_is_told_with_its_traceback_and_exits_3(
    here: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: Settings) -> None:
        raise RuntimeError("no luck")

    monkeypatch.setattr(Bot, "open", broken)
    assert main(["ask", "Who?"]) == 3
    assert "no luck" in caplog.text


def test_a_reader_of_the_output_may_stop_reading(here: Path) -> None:
    command = f"{sys.executable} -m qa list | true"
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, env=environ
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("command", "code", "printed"),
    [
        ("PYTHONIOENCODING=ascii footnote list", 0, "brücke"),
        ("footnote list >/dev/full", 3, "The output cannot be written"),
        ("footnote remove none 2>/dev/full", 3, ""),
        ("footnote user add ann <&-", 2, "password is too short"),
        ("footnote list >&-", 0, ""),
        ("footnote remove none 2>&-", 2, ""),
        (f"footnote chat --port {'1' * 5000}", 2, "Invalid port"),
    ],
)
def test_stream_that_is_closed_full_or_ascii_is_one_line(
    here: Path, command: str, code: int, printed: str
) -> None:
    """In processes of their own, because a shell prepares the streams of a command."""
    Index(here / "home" / "index", WordEmbedder()).add(text_document(BRIDGE, "br\u00fccke"))
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = command.replace("footnote", f"{sys.executable} -m qa")
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=environ)
    output = done.stdout + done.stderr
    assert done.returncode == code, output
    assert printed.encode("ascii", "backslashreplace").decode() in output
    assert output.count("\n") <= 1


@pytest.mark.usefixtures("words")
def test_name_with_line_end_forges_no_line(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("a\nadded b.txt").write_text(BRIDGE)
    Path("c\nfootnote: d.txt").write_text("")
    assert main(["add", "a\nadded b.txt", "c\nfootnote: d.txt"]) == 2
    printed = capsys.readouterr()
    assert printed.out == "added a\\nadded b.txt\n"
    assert printed.err.count("\n") == 1
    assert main(["list"]) == 0
    assert capsys.readouterr().out.count("\n") == 1


def test_models_prints_a_line_for_each_model(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Name, address, context, and the settings that choose it."""
    url = "http://127.0.0.1:1234/v1"
    models = (
        LocalModel("openai-like/my model", url, 8192),
        LocalModel("ollama/phi4", "http://127.0.0.1:11434"),
    )
    answers = LocalModels(models, ("The server at 127.0.0.1:8080 is still starting.",))
    monkeypatch.setattr("qa.llm.local.find_local_models", lambda: answers)
    assert main(["models"]) == 0
    printed = capsys.readouterr()
    assert [line.split("\t") for line in printed.out.splitlines()] == [
        [
            "openai-like/my model",
            url,
            "8192 tokens",
            f"QA_LLM='openai-like/my model' QA_LLM_URL={url}",
        ],
        [
            "ollama/phi4",
            "http://127.0.0.1:11434",
            "context unknown",
            "QA_LLM=ollama/phi4 QA_LLM_URL=http://127.0.0.1:11434",
        ],
    ]
    assert printed.err == "The server at 127.0.0.1:8080 is still starting.\n"


def test_models_without_any_says_where_it_looked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("qa.llm.local.find_local_models", LocalModels)
    assert main(["models"]) == 0
    printed = capsys.readouterr()
    assert printed.out == ""
    for program in PROGRAMS:
        line = f"  {program.name} at {program.url}; start it with: {program.start_command}\n"
        assert line in printed.err


def test_models_names_the_extra_that_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    without = replace(PROVIDERS["ollama"], module="llama_index.llms.missing")
    monkeypatch.setattr("qa.llm.client.PROVIDERS", {**PROVIDERS, "ollama": without})
    models = (LocalModel("ollama/x", "http://h"), LocalModel("openai-like/y", "http://h"))
    monkeypatch.setattr("qa.llm.local.find_local_models", lambda: LocalModels(models))
    assert main(["models"]) == 0
    command = "pip install -c constraints.txt -e '.[ollama]'"
    assert capsys.readouterr().err == f"ollama/x needs an extra: {command}\n"
