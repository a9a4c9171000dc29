"""Text that a server may have sent with half characters.

JSON can hold half of a surrogate pair, and a server that streams UTF-16 units splits a pair over
two deltas. Python keeps a half as it is; then no file, page or terminal can encode the text.
"""

HIGH_SURROGATES = ("\ud800", "\udbff")


def encodable(text: str) -> str:
    """Returns the text with its pairs of surrogates joined and each other half as U+FFFD."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


class SurrogateJoiner:
    """Makes the pieces of a streamed text encodable; a pair may be split over two pieces."""

    def __init__(self) -> None:
        self._half = ""

    def feed(self, piece: str) -> str:
        """Returns the text so far that was not returned before; it may be empty."""
        text = self._half + piece
        first, last = HIGH_SURROGATES
        ends_in_half = text != "" and first <= text[-1] <= last
        self._half = text[-1] if ends_in_half else ""
        return encodable(text[:-1] if ends_in_half else text)

    def finish(self) -> str:
        """Returns what the text ended with: U+FFFD for half a character, else nothing."""
        return encodable(self._half)
