"""Checks of the source text itself: density, names and words. `make check` runs them."""
