"""Messages about a Chroma server do not show the password in its address."""

import pytest

from qa.library.failures import damaged, index_full, reading_error, without_login


@pytest.mark.parametrize(
    "address",
    [
        "http://ann:pass@word@host:8000",
        "ann:pass@host:8000",
        "https://ann:pa/ss@host/x",
        "HTTP://ann:pass@[::1",
    ],
)
def test_message_has_no_login_of_a_server(address: str) -> None:
    cause = f"netloc {address.split('//')[-1]!r} is invalid"
    for error in (
        reading_error(address, ValueError(cause)),
        reading_error(address, OSError(cause)),
        damaged(address, cause),
        index_full(address),
    ):
        assert error
        assert "pa" not in str(error).replace("path", "").replace("space", "")
    assert "host" in without_login(address, address) or "[::1" in without_login(address, address)


def test_message_about_another_address_is_unchanged() -> None:
    for address in ("http://127.0.0.1:8000", "host:8000"):
        assert without_login(address, f"At {address}") == f"At {address}"
