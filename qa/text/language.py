"""The language of a text, by py3langid: offline, with its model inside the package.

docs/languages.md compares it with other libraries.
"""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

ENGLISH = "en"
LANGUAGES: Mapping[str, str] = MappingProxyType(
    {
        "ar": "Arabic",
        "bg": "Bulgarian",
        "bn": "Bengali",
        "ca": "Catalan",
        "cs": "Czech",
        "da": "Danish",
        "de": "German",
        "el": "Greek",
        "en": "English",
        "es": "Spanish",
        "et": "Estonian",
        "eu": "Basque",
        "fa": "Persian",
        "fi": "Finnish",
        "fr": "French",
        "gl": "Galician",
        "gu": "Gujarati",
        "he": "Hebrew",
        "hi": "Hindi",
        "hr": "Croatian",
        "hu": "Hungarian",
        "hy": "Armenian",
        "id": "Indonesian",
        "is": "Icelandic",
        "it": "Italian",
        "ja": "Japanese",
        "ka": "Georgian",
        "kn": "Kannada",
        "ko": "Korean",
        "lt": "Lithuanian",
        "lv": "Latvian",
        "mk": "Macedonian",
        "ml": "Malayalam",
        "mr": "Marathi",
        "ms": "Malay",
        "nl": "Dutch",
        "no": "Norwegian",
        "pa": "Punjabi",
        "pl": "Polish",
        "pt": "Portuguese",
        "ro": "Romanian",
        "ru": "Russian",
        "sk": "Slovak",
        "sl": "Slovenian",
        "sq": "Albanian",
        "sr": "Serbian",
        "sv": "Swedish",
        "sw": "Swahili",
        "ta": "Tamil",
        "te": "Telugu",
        "th": "Thai",
        "tr": "Turkish",
        "uk": "Ukrainian",
        "ur": "Urdu",
        "vi": "Vietnamese",
        "zh": "Chinese",
    }
)
"""English names by ISO 639-1 code.

Dialects are left out: short lines of these languages would be mistaken for them.
"""
SURE = 0.7
"""The probability below which a language is not known. Names and numbers alone are far below."""
MAX_READ = 6_000
"""Characters that are read of a text."""
PIECES = 6
"""Of a longer text so many pieces are read: its beginning may be a quotation or a heading."""


def detect_language(text: str) -> str:
    """Returns the language of a text (ISO 639-1); empty where it is not sure."""
    if not any(map(str.isalpha, text[:MAX_READ])):
        return ""
    language, probability = _identifier().classify(_sample(text))
    return str(language) if probability >= SURE else ""


def language_name(code: str) -> str:
    """Returns the English name of a language."""
    return LANGUAGES.get(code, code)


def _sample(text: str) -> str:
    if len(text) <= MAX_READ:
        return text
    size = MAX_READ // PIECES
    step = (len(text) - size) // (PIECES - 1)
    pieces = []
    for index in range(PIECES):
        start = index * step
        pieces.append(text[start : start + size])
    return "\n".join(pieces)


@cache
def _identifier() -> "LanguageIdentifier":
    # Imported here: it brings numpy, and reading its model takes half a second.
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(LANGUAGES)
    return identifier
