"""Whatever happens in a run's life, nothing is started twice, lost or left behind.

`WINDLASS_STORIES=5000 pytest tests/scenarios/test_engine_stories.py` looks for new ones; otherwise the same are told.
"""

from __future__ import annotations

import asyncio
import os

from hypothesis import HealthCheck, given, settings

from support.stories import Story, live, stories

WANTED = int(os.environ.get("WINDLASS_STORIES", "0"))


@settings(
    max_examples=WANTED or 100,
    derandomize=not WANTED,
    deadline=None,
    database=None,
    print_blob=False,
    suppress_health_check=list(HealthCheck),
)
@given(stories())
def test_whatever_happens_nothing_is_started_twice_lost_or_left_behind(story: Story) -> None:
    assert asyncio.run(live(story)) == []
