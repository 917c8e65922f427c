"""Whether the cluster checks who asks for an action: the admission policy of the chart, read now and then.

RBAC knows no more than who may create RunActions. That `requestedBy` is the one who asks, and may, is demanded by a
ValidatingAdmissionPolicy; what was made before that policy was, nobody has checked.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from windlass.engine.ports import Api, Clock
from windlass.engine.record import created_at
from windlass.errors import NotFound, Refused
from windlass.resources import POLICIES, POLICY_BINDINGS

FRESH_FOR: Final = 30.0
"""Seconds that the policy is taken to stay as it was read."""
ABSENT_FOR: Final = 5.0
"""Seconds that it is taken to stay away."""
AT_WORK_AFTER: Final = timedelta(seconds=10)
"""API servers learn of a new policy a moment after it was made."""
REFUSAL: Final = (
    "nobody has checked that it was you: the cluster has no admission policy for RunActions, or had none when this one "
    "was made. Ask an administrator to have the chart install it (admission.actions), or, where everybody who may "
    "create RunActions is trusted, to set unverifiedActions"
)


@dataclass(frozen=True, slots=True)
class ActionSettings:
    """What the admin has said about actions."""

    policy: str | None = None
    """The name of the ValidatingAdmissionPolicy, and of its binding, that checks who asks."""
    unverified: bool = False
    """Actions are carried out though nobody has checked who asks."""
    keep: timedelta = timedelta(hours=1)
    """How long an answered action stays."""


class Trust:
    """Asks for the policy."""

    def __init__(self, api: Api, clock: Clock, settings: ActionSettings) -> None:
        self._api = api
        self._clock = clock
        self._policy = settings.policy
        self._since: datetime | None = None
        self._fresh_until = float("-inf")

    async def verified(self, made_at: datetime) -> bool:
        """Whether the author of an action that was made at this moment was checked. Retryable when it can't be told."""
        if self._policy is None:
            return False
        now = self._clock.monotonic()
        if now >= self._fresh_until:
            self._since = await self._read(self._policy)
            self._fresh_until = now + (FRESH_FOR if self._since is not None else ABSENT_FOR)
        return self._since is not None and made_at >= self._since + AT_WORK_AFTER

    async def _read(self, name: str) -> datetime | None:
        """Since when the policy denies; None when it does not."""
        try:
            policy = await self._api.get(POLICIES, None, name)
            binding = await self._api.get(POLICY_BINDINGS, None, name)
        except (NotFound, Refused):
            return None
        spec = binding.get("spec") or {}
        at_work = spec.get("policyName") == name and "Deny" in (spec.get("validationActions") or ())
        if not at_work or spec.get("matchResources"):
            return None
        return max(created_at(policy), created_at(binding))
