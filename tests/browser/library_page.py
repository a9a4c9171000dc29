"""The library page by itself, over `QA_HOME`, with an embedder that counts words and takes its time over documents."""

import time
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from qa.bot import Bot
from qa.config import Settings
from qa.library.index import Index
from qa.models.embedding import Encoding
from qa.types import Document
from tests.qa.fakes import OverlapReader, WordEmbedder
from ui.components import STATIC, show_header
from ui.library import page as library
from ui.library.worker import JobQueue

SLOW = "slowly"
"""A passage with this word takes its time."""
SECONDS = 0.4


class SlowEmbedder(WordEmbedder):
    def encode(self, texts: Sequence[str]) -> list[Encoding]:
        if any(SLOW in text for text in texts):
            time.sleep(SECONDS)
        return super().encode(texts)


@st.cache_resource(show_spinner=False)
def opened() -> tuple[Bot, JobQueue]:
    home = Settings.from_environment().home
    index = Index(Path(home) / "index", SlowEmbedder())
    for number in range(52):
        name = f"reports/{number:02}.txt"
        index.add(
            Document(
                name, f"/{name}", f"Report {number:02}", f"The bridge number {number} cost gold."
            )
        )
    bot = Bot(index, WordEmbedder(), OverlapReader(), Settings(home=home, threshold=0.0))
    return bot, JobQueue(lambda: bot.index)


def read(name: str) -> None:
    st.session_state["reading"] = name


def main() -> None:
    st.set_page_config("Library")
    st.html(STATIC / "page.css")
    show_header("Library")
    bot, job_queue = opened()
    question = st.text_input("Question")
    if question:
        st.text(f"Answer: {bot.ask(question).text}")
    if name := st.session_state.get("reading"):
        st.text(f"Reading {name}")
    library.show(bot, job_queue, on_read=read)


# The tests import `SLOW`, and must not open a library.
if __name__ == "__main__":
    main()
