"""Whether an action's author was checked, by the policy as it is in the cluster."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from support.clock import VirtualClock
from windlass.engine.trust import ABSENT_FOR, FRESH_FOR, ActionSettings, Trust
from windlass.errors import ApiError, Forbidden, NotFound, Unreachable
from windlass.resources import POLICIES, POLICY_BINDINGS, Resource

Body = dict[str, Any]
MADE = datetime(2025, 4, 1, 10, tzinfo=UTC)
NAME = "windlass-system-windlass-actions"


def policy(**spec: Any) -> Body:
    return {"metadata": {"name": NAME, "creationTimestamp": "2025-04-01T10:00:00Z"}, "spec": spec}


BOUND = policy(policyName=NAME, validationActions=["Deny"])


class Cluster:
    """Has these objects, and counts how often it is asked."""

    def __init__(self, found: Body | ApiError, binding: Body | ApiError) -> None:
        self.answers = {POLICIES: found, POLICY_BINDINGS: binding}
        self.asked = 0

    async def get(self, resource: Resource, namespace: str | None, name: str) -> Body:
        assert (namespace, name) == (None, NAME)
        self.asked += 1
        answer = self.answers[resource]
        if isinstance(answer, ApiError):
            raise answer
        return answer


def trust(cluster: Cluster, name: str | None = NAME) -> tuple[Trust, VirtualClock]:
    clock = VirtualClock()
    return Trust(cluster, clock, ActionSettings(name)), clock  # type: ignore[arg-type]  # it asks for no more


GONE = NotFound("not found", 404)
CASES: dict[str, tuple[Body | ApiError, Body | ApiError, int, bool]] = {
    "the policy was there before": (policy(), BOUND, 60, True),
    "servers have heard of it": (policy(), BOUND, 10, True),
    "servers may not have heard of it": (policy(), BOUND, 9, False),
    "the action is older": (policy(), BOUND, -60, False),
    "no policy": (GONE, BOUND, 60, False),
    "no binding": (policy(), GONE, 60, False),
    "it may not be read": (Forbidden("no", 403), BOUND, 60, False),
    "it only warns": (policy(), policy(policyName=NAME, validationActions=["Warn", "Audit"]), 60, False),
    "it is bound to some namespaces": (
        policy(),
        policy(policyName=NAME, validationActions=["Deny"], matchResources={"namespaceSelector": {}}),
        60,
        False,
    ),
    "the binding is another policy's": (policy(), policy(policyName="other", validationActions=["Deny"]), 60, False),
    "the binding was made later": (
        policy(),
        {**BOUND, "metadata": {"creationTimestamp": "2025-04-01T11:00:00Z"}},
        60,
        False,
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
async def test_whether_the_author_was_checked(case: tuple[Body | ApiError, Body | ApiError, int, bool]) -> None:
    found, binding, after, verified = case
    asked, _ = trust(Cluster(found, binding))
    assert await asked.verified(MADE + timedelta(seconds=after)) is verified


async def test_without_a_name_nothing_is_asked() -> None:
    cluster = Cluster(policy(), BOUND)
    asked, _ = trust(cluster, None)
    assert (await asked.verified(MADE + timedelta(hours=1)), cluster.asked) == (False, 0)


async def test_it_is_asked_now_and_then() -> None:
    cluster = Cluster(policy(), BOUND)
    asked, clock = trust(cluster)
    for _ in range(3):
        await asked.verified(MADE)
    assert cluster.asked == 2
    cluster.answers[POLICIES] = GONE
    await clock.advance(FRESH_FOR)
    assert not await asked.verified(MADE + timedelta(hours=1))
    cluster.answers[POLICIES] = policy()
    await clock.advance(ABSENT_FOR)
    assert await asked.verified(MADE + timedelta(hours=1))


async def test_an_error_that_passes_is_no_answer() -> None:
    asked, _ = trust(Cluster(Unreachable("no answer"), BOUND))
    with pytest.raises(Unreachable):
        await asked.verified(MADE)
