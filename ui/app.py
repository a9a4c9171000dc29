"""The application that Streamlit serves: the page behind its login. `footnote chat` starts it."""

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from qa.config import Settings, share_processors
from ui.auth import LoginRequired, SecurityHeaders

share_processors()
app = st.App(
    Path(__file__).with_name("shell.py"),
    middleware=[
        Middleware(SecurityHeaders),
        Middleware(LoginRequired, home=Settings.from_environment().home),
    ],
)
