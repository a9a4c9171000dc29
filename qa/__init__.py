"""Footnote: ask your documents; every sentence of the answer carries a footnote that can be checked.

A question passes through the files of this package in this order: `followup`, `retrieval` (with `embedding`,
`index` and `lexical`), `reader`, `extractive`, `citations`; `bot` joins them. A document passes through
`documents`, `sentences`, `chunking`, `embedding` and `index`. `types` holds the values they pass on.
"""
