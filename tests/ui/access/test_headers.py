"""Browsers get a strict policy with every response."""

import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import pytest
import streamlit as st
from starlette.testclient import TestClient

from tests.ui.access.doors import make_app, make_client
from ui.access.headers import content_security_policy


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    return make_client(make_app(tmp_path))


@pytest.mark.parametrize("host", ["localhost", "evil.example"])
def test_every_response_has_the_security_headers(client: TestClient, host: str) -> None:
    """Refusals too."""
    headers = client.get("/", headers={"Host": host}).headers
    assert headers["content-security-policy"] == content_security_policy()
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]


def test_answers_stay_in_no_cache(client: TestClient) -> None:
    """Who uses the browser after a logout sees nothing; the program's own files are cached."""
    assert client.get("/").headers["cache-control"] == "no-store"
    assert client.get("/media/x").headers["cache-control"] == "no-store"
    assert client.get("/cached").headers["cache-control"] == "immutable"


def test_policy_allows_only_streamlits_inline_scripts() -> None:
    policy = content_security_policy()
    (scripts,) = re.findall(r"script-src ([^;]*)", policy)
    index = (Path(st.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    inline = re.findall(r"<script>(.*?)</script>", index, re.DOTALL)
    assert inline
    for script in inline:
        assert b64encode(sha256(script.encode()).digest()).decode() in scripts
    assert scripts.count("'sha256-") == len(inline)
    assert "'unsafe-eval'" not in scripts
    assert "'unsafe-inline'" not in scripts
    assert "http" not in policy
