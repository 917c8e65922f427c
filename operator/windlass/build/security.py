"""The restricted Pod Security Standard as defaults: they stand wherever the task has not said another.

A task opts out part by part, in its `securityContext`, its containers' or `podTemplate`'s.
"""

from __future__ import annotations

from typing import Any, Final

JsonObject = dict[str, Any]

USER: Final = 65532
"""The user and group of tasks: most images say root or nothing, which `runAsNonRoot` alone would refuse to start."""


def harden(spec: JsonObject, run_as_image_user: bool) -> JsonObject:
    """The pod spec with the defaults in all that it leaves unsaid."""
    hardened = dict(spec)
    hardened["securityContext"] = _pod_context(spec.get("securityContext") or {}, run_as_image_user)
    for kind in ("initContainers", "containers"):
        if spec.get(kind):
            hardened[kind] = [
                {**container, "securityContext": container_context(container.get("securityContext") or {})}
                for container in spec[kind]
            ]
    return hardened


def as_task_user() -> JsonObject:
    """What a container says to run as the tasks' user, whatever the pod says."""
    return {"runAsUser": USER, "runAsGroup": USER, "runAsNonRoot": True}


def container_context(said: JsonObject) -> JsonObject:
    """A container's security context: what it says, over the defaults."""
    context: JsonObject = {"allowPrivilegeEscalation": False, **said}
    context["capabilities"] = {"drop": ["ALL"], **(said.get("capabilities") or {})}
    if "allowPrivilegeEscalation" not in said and _needs_escalation(said):
        # The API refuses a privileged container that forbids escalation.
        del context["allowPrivilegeEscalation"]
    if said.get("runAsUser") == 0 and "runAsNonRoot" not in said:
        context["runAsNonRoot"] = False
    return context


def _pod_context(said: JsonObject, run_as_image_user: bool) -> JsonObject:
    defaults: JsonObject = {
        "fsGroup": USER,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    if not run_as_image_user:
        defaults |= as_task_user()
        if said.get("runAsUser") == 0:
            defaults["runAsNonRoot"] = False
    return {**defaults, **said}


def _needs_escalation(said: JsonObject) -> bool:
    added = (said.get("capabilities") or {}).get("add") or []
    return bool(said.get("privileged")) or "SYS_ADMIN" in added or "CAP_SYS_ADMIN" in added
