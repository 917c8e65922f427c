"""Whatever people ask of a run, and whatever goes wrong meanwhile, each action counts once.

`WINDLASS_STORIES=2000 pytest tests/scenarios/test_actions_stories.py` looks for new ones; otherwise the same are told.
"""

from __future__ import annotations

import asyncio
import os

from hypothesis import HealthCheck, given, settings

from support.action_stories import Story, live, stories

WANTED = int(os.environ.get("WINDLASS_STORIES", "0"))


@settings(
    max_examples=WANTED or 30,
    derandomize=not WANTED,
    deadline=None,
    database=None,
    print_blob=False,
    suppress_health_check=list(HealthCheck),
)
@given(stories())
def test_whatever_is_asked_each_action_counts_once(story: Story) -> None:
    assert asyncio.run(live(story)) == []
