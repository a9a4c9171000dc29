"""Wrong logins run out, right logins and other addresses do not."""

from ui.access.limits import MAX_KEYS, LoginLimits, RateLimit


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_name_has_five_tries_and_then_one_every_15_s() -> None:
    clock = Clock()
    limits = LoginLimits(clock)
    waits = [limits.reserve("ann", "192.0.2.1") for _ in range(7)]
    assert waits == [0, 0, 0, 0, 0, 15, 15]

    clock.now += 15
    assert limits.reserve("ann", "192.0.2.1") == 0
    assert limits.reserve("ann", "192.0.2.1") == 15


def test_person_elsewhere_is_not_kept_out() -> None:
    limits = LoginLimits(Clock())
    for _ in range(100):
        limits.reserve("ann", "192.0.2.1")
    assert limits.reserve("ann", "192.0.2.2") == 0
    assert limits.reserve("bob", "192.0.2.1") == 0


def test_address_has_twenty_tries_over_all_names() -> None:
    limits = LoginLimits(Clock())
    waits = [limits.reserve(f"user-{number}", "192.0.2.1") for number in range(22)]
    assert waits == [0] * 20 + [3, 3]


def test_name_has_fifty_tries_over_all_addresses() -> None:
    """A header can claim any address, if the proxy passes it on."""
    clock = Clock()
    limits = LoginLimits(clock)
    waits = [limits.reserve("ann", f"192.0.2.{number}") for number in range(52)]
    assert waits == [0] * 50 + [5, 5]
    assert limits.reserve("bob", "192.0.2.1") == 0

    clock.now += 5
    assert limits.reserve("ann", "192.0.2.100") == 0


def test_right_login_uses_no_try_up() -> None:
    limits = LoginLimits(Clock())
    for _ in range(100):
        assert limits.reserve("ann", "192.0.2.1") == 0
        limits.succeeded("ann", "192.0.2.1")


def test_ipv6_network_counts_as_one_address() -> None:
    """A provider gives everybody 2^64 addresses."""
    limits = LoginLimits(Clock())
    for number in range(5):
        limits.reserve("ann", f"2001:db8::{number}")
    assert limits.reserve("ann", "2001:db8::ffff") > 0
    assert limits.reserve("ann", "2001:db8:0:1::1") == 0
    assert limits.reserve("ann", "::ffff:192.0.2.1") == 0


def test_rate_limit_forgets_the_least_recent_key() -> None:
    """Its table is bounded, whatever strangers send."""
    limit = RateLimit(1, 1, Clock())
    for number in range(MAX_KEYS + 10):
        limit.take(number)
    assert limit.wait(0) == 0
    assert limit.wait(MAX_KEYS) == 1
    assert len(limit._buckets) == MAX_KEYS
