"""How long to wait before a request is made again."""

from __future__ import annotations

import pytest

from windlass.backoff import full_jitter

CASES = {
    "no chance, no wait": ({"failures": 3, "chance": 0.0}, 0.0),
    "the first wait is at most the first": ({"failures": 1, "chance": 1.0}, 0.5),
    "it doubles with each failure": ({"failures": 4, "chance": 1.0}, 4.0),
    "up to the last": ({"failures": 40, "chance": 1.0}, 30.0),
    "even after very many failures": ({"failures": 10_000, "chance": 1.0}, 30.0),
    "chance spreads it over the whole": ({"failures": 4, "chance": 0.25}, 1.0),
    "the server's wait is kept, and spread after it": ({"failures": 1, "chance": 0.5, "retry_after": 7.0}, 7.25),
    "a server that asks for an hour is not believed": ({"failures": 1, "chance": 0.0, "retry_after": 3600.0}, 300.0),
    "a negative wait is none": ({"failures": 1, "chance": 0.0, "retry_after": -5.0}, 0.0),
}


@pytest.mark.parametrize(("given", "wait"), CASES.values(), ids=CASES.keys())
def test_full_jitter(given: dict, wait: float) -> None:
    assert full_jitter(**{"first": 0.5, "last": 30.0} | given) == wait
