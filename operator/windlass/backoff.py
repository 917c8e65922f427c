"""How long to wait before the same request is made again. Pure: chance is an input."""

from __future__ import annotations

from typing import Final

LONGEST_ASKED: Final = 300.0
"""Seconds: a server that asks for a longer wait than this is not believed."""


def full_jitter(failures: int, *, first: float, last: float, chance: float, retry_after: float | None = None) -> float:
    """Seconds to wait after `failures` failures in a row (from 1).

    Anything between nothing and `first × 2^(failures - 1)`, at most `last`, chosen by `chance` in [0, 1): clients that
    failed together come back apart. A wait that the server asked for is kept, and the spread comes on top of it.
    """
    spread = min(last, first * 2.0 ** min(max(failures, 1) - 1, 32)) * chance
    if retry_after is None:
        return spread
    return min(max(retry_after, 0.0), LONGEST_ASKED) + spread
