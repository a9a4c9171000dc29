"""Print the files that a question crosses, from the chat box to the cited answer.

    python -m tests.checks.question_path

Adds `seeds/` to a library in a temporary folder, asks the page one question with the built-in
engine, and counts the files of `qa/` and `ui/` in which a function was called meanwhile. A reader
who follows a question has these files to read.
"""

import os
import sys
import tempfile
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any

from qa.config import Settings, share_processors

ROOT = Path(__file__).parents[2]
PACKAGES = (str(ROOT / "qa"), str(ROOT / "ui"))
PAGE = ROOT / "ui" / "shell.py"
QUESTION = "How many participants attended the forum?"
PATIENCE = 120
"""Seconds to wait for the models and for the answer."""


def main() -> int:
    """Prints each file with its number of lines, then the sums."""
    share_processors()
    with tempfile.TemporaryDirectory() as home:
        os.environ["QA_HOME"] = home
        files = _files_of_a_question()

    total = 0
    for file in sorted(files):
        lines = Path(file).read_text(encoding="utf-8").count("\n")
        total += lines
        print(f"{lines:5}  {Path(file).relative_to(ROOT)}")
    print(f"{total:5}  lines in {len(files)} files")
    return 0


def _files_of_a_question() -> set[str]:
    from streamlit.testing.v1 import AppTest

    from qa.bot import Bot
    from qa.documents.load import load

    bot = Bot.open(Settings.from_environment())
    for document in load([ROOT / "seeds"]).documents:
        bot.index.add(document)

    page = AppTest.from_file(str(PAGE), default_timeout=PATIENCE)
    # The page loads its models in a thread; the chat box appears before they are there.
    for _ in range(PATIENCE):
        page.run()
        if page.chat_input:
            break
        time.sleep(1)

    files: set[str] = set()

    def record(frame: FrameType, event: str, _: Any) -> None:
        code = frame.f_code
        is_ours = code.co_filename.startswith(PACKAGES)
        if is_ours and event == "call" and code.co_name != "<module>":
            files.add(code.co_filename)

    # Only threads that start from here on are recorded: the page's script and the answer's.
    threading.setprofile(record)
    page.chat_input[0].set_value(QUESTION).run()
    for _ in range(PATIENCE // 6):
        time.sleep(1)
        page.run()
    threading.setprofile(None)
    return files


if __name__ == "__main__":
    sys.exit(main())
