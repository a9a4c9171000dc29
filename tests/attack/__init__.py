"""Attacks on Footnote that take minutes: run by hand, not part of `make test`. See README.md."""
