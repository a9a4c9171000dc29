"""How long documents take until they can be asked: the indexing of each engine, by turns."""

from collections.abc import Callable, Mapping
from pathlib import Path
from time import perf_counter

TIMES = 3
Seconds = Mapping[str, tuple[float, ...]]
"""By name, of each time."""


def index_by_turns(makers: Mapping[str, Callable[[Path], object]], folder: Path) -> Seconds:
    """Each maker is called `TIMES` times, each time with a new folder; in their order and back by turns."""
    seconds: dict[str, list[float]] = {name: [] for name in makers}
    for turn in range(TIMES):
        for number, name in enumerate(makers if turn % 2 == 0 else reversed(list(makers))):
            place = folder / f"{turn}-{number}"
            place.mkdir(parents=True)
            begun = perf_counter()
            makers[name](place)
            seconds[name].append(perf_counter() - begun)
    return {name: tuple(values) for name, values in seconds.items()}
