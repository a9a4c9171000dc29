"""Texts for property tests: all that a file may hold, and news of our own making."""

from hypothesis import strategies as st

PIECES = [
    "The mayor opened the bridge on Monday. ",
    "“We waited for years,” said Ana Ruiz. ",
    "It cost 3.5 million euros. ",
    "\n",
    "\n\n",
    " ",
    "\t",
    "e\u0301 n\u0303",  # combining marks
    "日本語の文です。",
    "שלום עולם. ",
    "😀🏳️‍🌈 ",
    "- an item\n",
    "1. first\n",
    "# A heading\n",
    "> quoted\n",
    "| a | b |\n|---|---|\n| 1 | 2 |\n",
    "```\ncode here\n```\n",
    "Mr. Smith of the U.S. said no. ",
    "word " * 40,
    "x" * 300,
    "“” … — !?. ",
    "\u2028\x0b\x85\xa0\u3000",
]
texts = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=14).map("".join),
    st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=300),
).map(lambda text: text.replace("\r\n", "\n").replace("\r", "\n"))

NEWS = """Bridge opens after nine years
The old harbor has a new crossing, and the town has an argument about who pays for it
[Lagos Bay] The mayor of Lagos Bay opened the harbor bridge on Tuesday, nine years after the first stone was laid.
This bridge belongs to the people who waited for it, and nobody will ever pay a toll to cross it.
Mayor Ines Prado spoke to about 400 people at the northern ramp. “This bridge belongs to the people who waited for it, \
and nobody will ever pay a toll to cross it,” Prado told the crowd, according to her office.
She thanked the 62 workers who had finished the deck during the winter storms.
The bridge cost 48 million euros, which is twice what the council had approved in its first budget.
Enjoying this story?
Subscribe to our newsletter
Our reporters work for you every day.
Opposition councillor Tomas Beck said the council had hidden the rising costs because it feared losing the election.
“They knew in spring,” Beck said. “They told us in autumn, and by then the contracts were signed.”
The ferry across the harbor will stop in May, and its two boats will be sold to the island of Norra.
"""
"""A news text with an appeal in its middle, a pull quote before the paragraph that attributes it, and a pronoun."""
