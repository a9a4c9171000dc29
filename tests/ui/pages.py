"""What a page under Streamlit's AppTest shows."""

import json
from typing import Any

from streamlit.testing.v1 import AppTest


def shown(page: AppTest) -> str:
    """Returns all HTML of the page: Streamlit's own elements and the data of our components."""
    parts = [element.proto.body for element in page.get("html")]
    for component in page.get("bidi_component"):
        parts.append(json.loads(component.proto.json)["html"])
    return "\n".join(parts)


def button(page: AppTest, label: str) -> Any:
    """Returns the only button with this label."""
    (match,) = [button for button in page.button if button.label == label]
    return match


def text_input(page: AppTest, label: str) -> Any:
    """Returns the only text field with this label."""
    (match,) = [field for field in page.text_input if field.label == label]
    return match
