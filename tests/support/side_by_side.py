"""Cases that wait for a cluster more than they work, played at the same time; each test asks for its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import pytest

T = TypeVar("T")


def chosen(request: pytest.FixtureRequest, parameter: str) -> list[str]:
    """The values of a parameter, texts, that the tests of this file have which are to be run."""
    tests = [item for item in request.session.items if isinstance(item, pytest.Function) and item.path == request.path]
    found = [item.callspec.params.get(parameter) for item in tests if hasattr(item, "callspec")]
    return [value for value in found if isinstance(value, str)]


@contextmanager
def side_by_side(cases: Mapping[str, Callable[[], T]], at_once: int) -> Iterator[Callable[[str], T]]:
    """Play the cases in their order, so many at a time. Yields what waits for a case by its name.

    What it yields returns what the case returns, and raises what it raises. Cases that are not begun when the block
    ends are not played.
    """
    with ThreadPoolExecutor(at_once) as pool:
        playing = {name: pool.submit(case) for name, case in cases.items()}
        try:
            yield lambda name: playing[name].result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
