"""The kinds of file that are read, and how large one may be."""

MAX_BYTES = 50_000_000
MARKDOWN_SUFFIXES = (".md", ".markdown")
TEXT_SUFFIXES = (".txt", ".text", *MARKDOWN_SUFFIXES)
EXTRACTED = {".html": "html", ".htm": "html", ".pdf": "pdf", ".docx": "docx"}
"""Suffixes of files whose text has to be taken out, and what does it: `qa/html_text.py` and so on."""
READABLE = (*TEXT_SUFFIXES, *EXTRACTED)
