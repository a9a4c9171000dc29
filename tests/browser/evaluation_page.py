"""The evaluation page by itself, over the folder in RUNS: `streamlit run tests/browser/evaluation_page.py`."""

import os
from pathlib import Path

import streamlit as st

from ui.components import STATIC
from ui.evaluation import show

st.set_page_config("Evaluation")
st.html(STATIC / "page.css")
st.html('<h1 class="name">Evaluation</h1>')
show([Path(os.environ["RUNS"])])
