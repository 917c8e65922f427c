"""Whatever happens in the life of a run with a repeated task, each instance is counted once.

`WINDLASS_STORIES=5000 pytest tests/scenarios/test_foreach_stories.py` looks for new ones; otherwise the same are lived.
"""

from __future__ import annotations

import asyncio
import os

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.foreach_stories import live

WANTED = int(os.environ.get("WINDLASS_STORIES", "0"))


@settings(
    max_examples=WANTED or 60,
    derandomize=not WANTED,
    deadline=None,
    database=None,
    print_blob=False,
    suppress_health_check=list(HealthCheck),
)
@given(st.integers(0, 2**32))
def test_whatever_happens_each_instance_is_counted_once(seed: int) -> None:
    assert asyncio.run(live(seed)) == []
