"""Trigger rules against an oracle that is written from the table of the design, and their certainty."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.models.task import TriggerRule
from windlass.plan.rules import RULES, Counts, VerdictKind, verdict

Ends = tuple[int, int, int, int]
"""How many succeeded, failed, upstream-failed, were skipped; all have ended."""

# rule: (becomes UpstreamFailed when, becomes Skipped when), asked when all are done; else it starts, or not.
FINAL: dict[TriggerRule, tuple[Callable[..., bool], Callable[..., bool], Callable[..., bool]]] = {
    TriggerRule.ALL_SUCCESS: (lambda s, f, u, k: f or u, lambda s, f, u, k: k, lambda s, f, u, k: not (f or u or k)),
    TriggerRule.ALL_FAILED: (lambda *_: False, lambda s, f, u, k: s or k, lambda s, f, u, k: not (s or k)),
    TriggerRule.ALL_DONE: (lambda *_: False, lambda *_: False, lambda *_: True),
    TriggerRule.ALL_DONE_MIN_ONE_SUCCESS: (
        lambda s, f, u, k: not s and not k, lambda s, f, u, k: k, lambda s, f, u, k: s and not k
    ),
    TriggerRule.ALL_SKIPPED: (lambda *_: False, lambda s, f, u, k: s or f or u, lambda s, f, u, k: not (s or f or u)),
    TriggerRule.ONE_SUCCESS: (
        lambda s, f, u, k: not s and (f or u), lambda s, f, u, k: not (s or f or u), lambda s, f, u, k: s
    ),
    TriggerRule.ONE_FAILED: (lambda *_: False, lambda s, f, u, k: not f and not u, lambda s, f, u, k: f or u),
    TriggerRule.ONE_DONE: (lambda *_: False, lambda s, f, u, k: not s and not f, lambda s, f, u, k: s or f),
    TriggerRule.NONE_FAILED: (lambda s, f, u, k: f or u, lambda *_: False, lambda s, f, u, k: not (f or u)),
    TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS: (
        lambda s, f, u, k: f or u, lambda s, f, u, k: not (s or f or u), lambda s, f, u, k: s and not (f or u)
    ),
    TriggerRule.NONE_SKIPPED: (lambda *_: False, lambda s, f, u, k: k, lambda s, f, u, k: not k),
    TriggerRule.ALWAYS: (lambda *_: False, lambda *_: False, lambda *_: True),
}  # fmt: skip
AT_ONCE = frozenset({TriggerRule.ALWAYS})


def final(rule: TriggerRule, ends: Ends) -> VerdictKind:
    """The verdict of the table when all upstream tasks have ended."""
    fails, skips, starts = FINAL[rule]
    if fails(*ends):
        return VerdictKind.UPSTREAM_FAIL
    if skips(*ends):
        return VerdictKind.SKIP
    assert starts(*ends), (rule, ends)
    return VerdictKind.START


def certain(rule: TriggerRule, total: int, ends: Ends) -> VerdictKind:
    """The verdict that all ways to go on lead to; Wait where they differ, or where the rule says "done"."""
    left = total - sum(ends)
    ways = [more for more in product(range(left + 1), repeat=4) if sum(more) == left]
    verdicts = {final(rule, tuple(a + b for a, b in zip(ends, more, strict=True))) for more in ways}
    if rule in AT_ONCE or left == 0:
        return verdicts.pop()
    if len(verdicts) > 1 or rule in (TriggerRule.ALL_DONE,):
        return VerdictKind.WAIT
    return verdicts.pop()


CASES = [
    (rule, total, ends)
    for rule in TriggerRule
    for total in range(1, 4)
    for ends in product(range(total + 1), repeat=4)
    if sum(ends) <= total
]


def test_every_rule_has_predicates() -> None:
    assert set(RULES) == set(TriggerRule)


@pytest.mark.parametrize("rule", TriggerRule, ids=str)
def test_the_verdict_is_that_of_the_table_as_soon_as_it_is_certain(rule: TriggerRule) -> None:
    cases = [(total, ends) for its, total, ends in CASES if its is rule]
    given_ = {case: verdict(rule, Counts(case[0], *case[1])).kind for case in cases}
    assert given_ == {(total, ends): certain(rule, total, ends) for total, ends in cases}


@pytest.mark.parametrize("rule", TriggerRule, ids=str)
def test_a_task_without_upstream_starts(rule: TriggerRule) -> None:
    assert verdict(rule, Counts(0)).kind is VerdictKind.START


@given(
    rule=st.sampled_from(TriggerRule),
    ends=st.lists(st.sampled_from(["succeeded", "failed", "upstream_failed", "skipped"]), min_size=1, max_size=30),
    still=st.integers(0, 10),
)
def test_a_verdict_once_given_stays(rule: TriggerRule, ends: list[str], still: int) -> None:
    total = len(ends) + still
    first = None
    for seen in range(len(ends) + 1):
        known = ends[:seen]
        counts = Counts(total, *(known.count(one) for one in ("succeeded", "failed", "upstream_failed", "skipped")))
        now = verdict(rule, counts)
        if first is not None:
            assert now == first
        elif now.kind is not VerdictKind.WAIT:
            first = now
    assert first is not None or still > 0
