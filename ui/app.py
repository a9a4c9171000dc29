"""What is served: the page behind its door. `streamlit run ui/app.py`."""

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from qa.config import Settings, share_processors
from ui.auth import Door, Headers

share_processors()
app = st.App(
    Path(__file__).with_name("shell.py"),
    middleware=[Middleware(Headers), Middleware(Door, home=Settings.from_environment().home)],
)
