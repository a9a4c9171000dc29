"""A language model's server: its address and secrets, and the head of its response."""

import ipaddress
from base64 import b64encode
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlsplit

from qa.errors import FootnoteError
from qa.llm.surrogates import encodable

MAX_QUOTED_CHARACTERS = 200
"""How much of a server's own text a message quotes."""


@dataclass(frozen=True, slots=True)
class Advice:
    """What the messages say to the users of one provider; the defaults suit a hosted one."""

    model_not_found: str = (
        "{at} does not have {name} (status 404). Check the model's name in QA_LLM."
    )
    """The message for status 404. `{at}` is the address, `{name}` is `provider/model`."""
    start_command: str | None = None
    """Starts the server, where it runs on the person's own machine."""
    setting: str = "QA_LLM"
    """The setting that most likely is wrong when the server sends nonsense."""


HOSTED_ADVICE = Advice()


@dataclass(frozen=True, slots=True)
class Server:
    """A language model and where it runs. No repr shows its secrets."""

    name: str
    """As the person wrote it: `provider/model`."""
    url: str
    """Without user and password."""
    key: str | None = field(default=None, repr=False)
    login: str | None = field(default=None, repr=False)
    """`user:password`, where the address had them."""
    advice: Advice = HOSTED_ADVICE
    listed_instead: tuple[str, ...] = ()
    """The names in the server's list of models, where this model's name is not in it."""

    @property
    def model(self) -> str:
        return self.name.partition("/")[2]

    @property
    def address(self) -> str:
        """Host and, where the URL has one, port."""
        return urlsplit(self.url).netloc

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or self.url

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine. A name like 127.example.com may be anywhere."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def clean(self, text: str) -> str:
        """Returns a server's text as one short line, without the secrets that it may echo."""
        text = encodable(text)
        for secret in self._secret_forms():
            text = text.replace(secret, "…")
        printable = "".join(letter if letter.isprintable() else " " for letter in text)
        line = " ".join(printable.split())
        if len(line) <= MAX_QUOTED_CHARACTERS:
            return line
        return line[:MAX_QUOTED_CHARACTERS] + "…"

    def _secret_forms(self) -> list[str]:
        """Returns all forms that a server may echo; longest first, so that none leaves a piece."""
        password = (self.login or "").partition(":")[2]
        forms = set()
        for secret in (self.key, self.login, password):
            if secret:
                forms |= {secret, quote(secret, safe=""), b64encode(secret.encode()).decode()}
        return sorted(forms, key=len, reverse=True)


@dataclass(frozen=True, slots=True)
class ResponseHead:
    """What a server sent before the words of an answer."""

    status: int
    content_type: str = ""
    retry_after: str = ""
    location: str = ""
    body: str = ""
    """Of an error response; empty otherwise."""

    @property
    def failed(self) -> bool:
        return self.status >= 300


def parse_url(provider_name: str, url: str | None) -> tuple[str, str | None]:
    """Returns a URL without `user:password`, and these, which no message may quote."""
    if not url:
        raise FootnoteError(
            f"{provider_name} needs the address of a server. "
            "Set QA_LLM_URL, for example to http://localhost:8000/v1."
        )
    try:
        parts = urlsplit(url.strip() if "://" in url else f"http://{url.strip()}")
        valid = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise FootnoteError(
            "QA_LLM_URL is not the address of a server. "
            "Set it to an address like http://localhost:8000/v1."
        )
    login, _, host = parts.netloc.rpartition("@")
    clean = parts._replace(netloc=host, query="", fragment="").geturl().rstrip("/")
    return clean, unquote(login) or None
