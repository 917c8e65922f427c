"""`suspend`, `resume` and `cancel` of what is no run: `workflow/NAME` and `backfill/NAME`, as kubectl names objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import click

from windlass.cli.cluster import Cluster
from windlass.cli.failures import OK, Failure
from windlass.cli.output import resource_name
from windlass.errors import NotFound
from windlass.names import GROUP
from windlass.resources import BACKFILLS, WORKFLOWS, Resource

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reference:
    """An object by its kind and name."""

    resource: Resource
    name: str


_KINDS: Final = {
    "workflow": WORKFLOWS, "workflows": WORKFLOWS, "wlw": WORKFLOWS,
    "backfill": BACKFILLS, "backfills": BACKFILLS, "wlb": BACKFILLS,
}  # fmt: skip
_RUNS: Final = frozenset({"run", "runs", "workflowrun", "workflowruns", "wlr"})
_DONE: Final = {"Suspend": "suspended", "Resume": "resumed", "Cancel": "cancelled"}


def reference(text: str) -> Reference | None:
    """What `kind/name` names; None for a run, by its name alone or with its kind."""
    kind, separator, name = text.partition("/")
    kind = kind.lower().removesuffix(f".{GROUP}")
    if not separator or kind in _RUNS:
        return None
    if kind not in _KINDS or not name:
        raise click.UsageError(f"{text}: write the name of a run, workflow/NAME, or backfill/NAME")
    return Reference(_KINDS[kind], name)


def run_in(text: str) -> str:
    """The name of the run that `reference` has told to be one."""
    return text.rpartition("/")[2]


async def switch(cluster: Cluster, verb: str, which: Reference) -> int:
    """Suspend, resume or cancel an object. Saying so twice is no error."""
    try:
        found = await cluster.client.get(which.resource, cluster.namespace, which.name)
    except NotFound:
        kind = which.resource.kind if which.resource is WORKFLOWS else "backfill"
        raise Failure(f'there is no {kind} "{which.name}" in the namespace {cluster.namespace}') from None
    spec = _change(verb, which, found)
    if spec is None:
        click.echo(f"{resource_name(found)} is {_DONE[verb]} already")
        return OK
    await cluster.client.patch(which.resource, cluster.namespace, which.name, {"spec": spec})
    click.echo(f"{resource_name(found)} {_DONE[verb]}")
    return OK


def _change(verb: str, which: Reference, found: Body) -> Body | None:
    """The change of the spec; None when it is so already."""
    spec = found.get("spec") or {}
    wanted = verb == "Suspend"
    if which.resource is WORKFLOWS:
        if verb == "Cancel":
            raise click.UsageError("a Workflow is suspended, or deleted: cancel its runs, or suspend it")
        if not spec.get("schedule"):
            raise Failure(f"the Workflow {which.name} has no schedule: nothing of it can be {_DONE[verb]}")
        return None if bool(spec["schedule"].get("suspend")) == wanted else {"schedule": {"suspend": wanted}}
    phase = (found.get("status") or {}).get("phase")
    if phase in ("Succeeded", "Failed", "Cancelled", "Refused"):
        raise Failure(f"the backfill {which.name} has ended already: {phase}")
    if verb == "Cancel":
        return None if spec.get("stop") else {"stop": "Cancel"}
    return None if bool(spec.get("suspend")) == wanted else {"suspend": wanted}
