"""Footnote beside its peers: plain llama-index over the same documents, with the same embedding model, asked the same.

`llamaindex` makes the peers, `scripted` the language model that both sides ask, `comparison` asks and measures,
`table` prints.
"""
