"""The HTML of the page, from the templates in `ui/templates`. Every value is escaped.

Documents, their titles, file names, questions and a model's words are untrusted.
"""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined


def render(template: str, **values: object) -> str:
    """Returns the HTML of a template.

    Raises jinja2.UndefinedError if the template needs a value that is missing.
    """
    return _environment().get_template(template).render(values)


def shorten(text: str, size: int) -> str:
    """Returns the beginning of a text: at most `size` characters and an ellipsis.

    Cut between words where there is a space, and before a full stop or comma.
    """
    if len(text) <= size:
        return text
    whole_words = text[:size].rpartition(" ")[0]
    return (whole_words or text[:size]).rstrip(".,;:") + "…"


def count(number: int, noun: str) -> str:
    """Returns for instance "1 page" or "1,200 pages"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("ui"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["shorten"] = shorten
    environment.filters["count"] = count
    return environment
