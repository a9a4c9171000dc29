"""How many logins may be tried: by name and address, by address, and by name."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network

MAX_KEYS = 10_000
"""Keys that a limit remembers; beyond them it forgets the one that was used least recently."""


@dataclass(slots=True)
class _Bucket:
    """Tries that are left, at a time."""

    tries: float
    time: float


class RateLimit:
    """A token bucket for each key: `burst` tries at once, then one more every `seconds`."""

    def __init__(
        self, burst: int, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._burst = burst
        self._seconds = seconds
        self._clock = clock
        self._buckets: OrderedDict[Hashable, _Bucket] = OrderedDict()

    def wait(self, key: Hashable) -> float:
        """Returns the seconds until the next try is allowed; 0 if it is allowed now."""
        bucket = self._buckets.get(key)
        if bucket is None:
            return 0.0
        self._refill(bucket)
        return max(0.0, (1 - bucket.tries) * self._seconds)

    def take(self, key: Hashable) -> None:
        """Uses one try up."""
        bucket = self._buckets.setdefault(key, _Bucket(self._burst, self._clock()))
        self._buckets.move_to_end(key)
        self._refill(bucket)
        bucket.tries -= 1
        if len(self._buckets) > MAX_KEYS:
            self._buckets.popitem(last=False)

    def give_back(self, key: Hashable) -> None:
        """Makes a try not count."""
        bucket = self._buckets.get(key)
        if bucket:
            bucket.tries = min(self._burst, bucket.tries + 1)

    def _refill(self, bucket: _Bucket) -> None:
        now = self._clock()
        gained = (now - bucket.time) / self._seconds
        bucket.tries = min(self._burst, bucket.tries + gained)
        bucket.time = now


class LoginLimits:
    """Wrong logins use tries up, right logins do not.

    A name is limited for each address separately: who guesses passwords from one address cannot
    keep a person at another address out. The limit of a name from all addresses is for somebody
    who has many, or who writes them into the header of a careless proxy.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._by_both = RateLimit(burst=5, seconds=15, clock=clock)
        # Above the first limit: several people can share an address.
        self._by_address = RateLimit(burst=20, seconds=3, clock=clock)
        # One address never uses it up: it gets a try only every 15 seconds.
        self._by_name = RateLimit(burst=50, seconds=5, clock=clock)

    def reserve(self, name: str, address: str) -> int:
        """Uses a try up, before its password is checked: many tries can arrive at once.

        Returns 0, or the seconds to wait if no try is left.
        """
        limits = self._limits(name, address)
        wait = max(limit.wait(key) for limit, key in limits)
        if wait == 0:
            for limit, key in limits:
                limit.take(key)
        return math.ceil(wait)

    def succeeded(self, name: str, address: str) -> None:
        """Gives the try back that a right login has reserved."""
        for limit, key in self._limits(name, address):
            limit.give_back(key)

    def _limits(self, name: str, address: str) -> tuple[tuple[RateLimit, Hashable], ...]:
        """Returns the limits of a login, each with its key."""
        network = _network(address)
        return (
            (self._by_both, (name, network)),
            (self._by_address, network),
            (self._by_name, name),
        )


def _network(address: str) -> str:
    """Returns what counts as one address: of IPv6, a provider gives everybody a /64 network."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(ip_network((int(parsed), 64), strict=False))
    return str(parsed)
