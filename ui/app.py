"""The application that Streamlit serves: the page behind its door. `footnote chat` starts it."""

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from qa.config import Settings, share_processors
from qa.users import Users
from ui.access.headers import SecurityHeaders
from ui.access.hosts import HostCheck
from ui.access.login import LoginRequired, has_provider
from ui.access.logs import limit_logs, log_access
from ui.access.uploads import UploadLimit

share_processors()
_settings = Settings.from_environment()


def _has_login() -> bool:
    return bool(Users(_settings.home).names()) or has_provider()


log_access()
limit_logs()
# The first layer is the outermost: a refusal has the headers too.
app = st.App(
    Path(__file__).with_name("shell.py"),
    middleware=[
        Middleware(SecurityHeaders),
        Middleware(HostCheck, has_login=_has_login, public_hosts=_settings.public_hosts),
        Middleware(LoginRequired, home=_settings.home),
        Middleware(UploadLimit),
    ],
)
