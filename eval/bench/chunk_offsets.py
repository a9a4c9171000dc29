"""Where the chunks of a splitter stand in the text that they were cut from."""

from collections.abc import Sequence

from qa.types import Span


def places(chunks: Sequence[str], text: str) -> list[Span]:
    """The span of each chunk; they are in order, overlap or not, and leave nothing out but white space.

    Found by their characters without white space, some of which llama-index drops inside of a chunk. The offsets that
    it gives itself are the first place where it finds the words, which is a wrong one in a text that repeats itself.
    Here a place is not certain only where a whole chunk is the same few words again and again, so never where it
    holds a quote that is unique. Raises ValueError for a chunk that is not where it must be.
    """
    at = [place for place, char in enumerate(text) if not char.isspace()]
    solid = "".join(text[place] for place in at)
    found: list[Span] = []
    end = 0
    for chunk in chunks:
        wanted = "".join(chunk.split())
        # It ends after the one before, and begins where that ended or earlier: what is later would leave a gap.
        start = solid.find(wanted, max(0, end - len(wanted) + 1), end + len(wanted))
        if start < 0 and solid.endswith(wanted, 0, end):
            start = end - len(wanted)  # all that it adds to the overlap is white space
        if start < 0 or not wanted:
            raise ValueError(f"a chunk is not in the text it was cut from: {chunk[:80]!r}")
        end = start + len(wanted)
        found.append(Span(at[start], at[end - 1] + 1))
    return found
