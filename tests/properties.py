"""How many examples a property test tries, by the hypothesis profile that is loaded."""

from typing import Any

from hypothesis import settings

FIXED = "fixed"
EXPLORE = "explore"
EXAMPLES = 100
"""Examples of a property test that does not give a number, in the fixed profile."""
EXPLORE_FACTOR = 20


def register_profiles() -> None:
    """Register the two profiles and load the fixed one; `--hypothesis-profile` loads the other.

    Fixed: the same examples in every run. Explore: random examples, twenty times as many, and
    failures are remembered in `.hypothesis/`.
    """
    settings.register_profile(
        FIXED, max_examples=EXAMPLES, derandomize=True, deadline=None, database=None
    )
    settings.register_profile(EXPLORE, max_examples=EXPLORE_FACTOR * EXAMPLES, deadline=None)
    settings.load_profile(FIXED)


def examples(number: int, **options: Any) -> settings:
    """Returns settings with so many examples in the fixed profile, in proportion in others."""
    loaded = settings().max_examples
    return settings(max_examples=max(1, number * loaded // EXAMPLES), **options)
