"""Tasks that put away what others have set up: they run when the setup succeeded, whatever came between."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from windlass.models.run import TaskPhase
from windlass.plan.rules import Verdict, VerdictKind
from windlass.plan.types import Node

SETUP_FAILED: Final = "SetupFailed"
SETUP_SKIPPED: Final = "SetupSkipped"


def teardown_verdict(node: Node, ends: Mapping[str, TaskPhase]) -> Verdict:
    """What becomes of a teardown, by the tasks before it that have ended. Airflow's rule: one good setup is enough."""
    setups = [ends.get(name) for name in node.task.teardown_of]
    if TaskPhase.SUCCEEDED not in setups:
        if None in setups:
            return Verdict(VerdictKind.WAIT, "")
        if set(setups) == {TaskPhase.SKIPPED}:
            return Verdict(VerdictKind.SKIP, SETUP_SKIPPED)
        return Verdict(VerdictKind.UPSTREAM_FAIL, SETUP_FAILED)
    if any(name not in ends for name in node.upstream):
        return Verdict(VerdictKind.WAIT, "")
    return Verdict(VerdictKind.START, "")
