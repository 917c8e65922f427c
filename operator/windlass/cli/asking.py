"""Asking for an action on a run: who asks, what would come of it, and what the controller answers."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import click

from windlass.cli import runs
from windlass.cli.cluster import Cluster
from windlass.cli.failures import FAILED, OK, TIMED_OUT, USAGE, Failure
from windlass.cli.output import one_line, run_name
from windlass.errors import Forbidden, NotFound, Refused
from windlass.names import API_VERSION, GROUP
from windlass.resources import ACTIONS, REVISIONS, SELF_REVIEWS

if TYPE_CHECKING:
    from windlass.plan.types import Program

Body = dict[str, Any]
POLL_FIRST: Final = 0.05
POLL_LAST: Final = 1.0
"""Seconds between two looks for the answer, the first and the longest."""
_CAPITAL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Asked:
    """An action as the command line says it."""

    verb: str
    run: str
    tasks: Sequence[str] = ()
    indices: Sequence[int] = ()
    downstream: bool = False
    upstream: bool = False
    reason: str | None = None
    given: Sequence[str] = ()
    """`key=value` texts for the form of an approval."""
    dry_run: bool = False
    timeout: float = 30.0
    """Seconds to wait for the answer."""


async def ask(cluster: Cluster, asked: Asked) -> int:
    """Create the action, wait for its answer, and print it; or print what it would do."""
    run = await runs.read_run(cluster, asked.run)
    action = {
        "apiVersion": API_VERSION,
        "kind": ACTIONS.kind,
        "metadata": {
            "generateName": f"{run['metadata']['name'][:40].rstrip('-.')}-{command_of(asked.verb)}-",
            "namespace": cluster.namespace,
        },
        "spec": await _spec(cluster, run, asked),
    }
    if asked.dry_run:
        return await _foresee(cluster, run, action)
    made = await _create(cluster, action)
    return await _await_answer(cluster, run, made, asked.timeout)


def command_of(verb: str) -> str:
    """The command of a verb: `mark-failed` of MarkFailed."""
    return _CAPITAL.sub("-", verb).lower()


async def _spec(cluster: Cluster, run: Body, asked: Asked) -> Body:
    user, groups = await whoami(cluster)
    said: Body = {
        "run": run["metadata"]["name"],
        "verb": asked.verb,
        "tasks": list(dict.fromkeys(asked.tasks)),
        "indices": sorted(set(asked.indices)),
        "downstream": asked.downstream,
        "upstream": asked.upstream,
        "reason": asked.reason,
        "requestedBy": user,
        "requestedGroups": groups,
    }
    if asked.given:
        said["values"] = await _values(cluster, run, asked)
    return {key: value for key, value in said.items() if value}


async def whoami(cluster: Cluster) -> tuple[str, list[str]]:
    """The user that the API server takes us for, and their groups."""
    body = {"apiVersion": SELF_REVIEWS.api_version, "kind": SELF_REVIEWS.kind, "metadata": {}}
    try:
        answer = await cluster.client.create(SELF_REVIEWS, body)
    except NotFound:
        raise Failure("the cluster can't say who you are: actions need Kubernetes 1.28 or later") from None
    info = answer["status"]["userInfo"]
    return str(info["username"]), [str(group) for group in info.get("groups") or ()][:512]


async def _create(cluster: Cluster, action: Body) -> Body:
    try:
        return await cluster.client.create(ACTIONS, action)
    except Forbidden as error:
        raise Failure(f"not allowed: {one_line(error.message)}") from None
    except NotFound:
        raise Failure(
            "the cluster doesn't know RunActions: bring its kinds up to date with windlass crds | kubectl apply -f -"
        ) from None
    except Refused as error:
        raise Failure(one_line(error.message)) from None


async def _await_answer(cluster: Cluster, run: Body, action: Body, within: float) -> int:
    name, subject = action["metadata"]["name"], run_name(run["metadata"]["name"])
    wait = POLL_FIRST
    try:
        async with asyncio.timeout(within):
            while True:
                try:
                    found = await cluster.client.get(ACTIONS, cluster.namespace, name)
                except NotFound:
                    raise Failure(f"the action {name} was deleted before it was answered") from None
                status = found.get("status") or {}
                if status.get("phase") in ("Applied", "Refused"):
                    break
                await asyncio.sleep(wait)
                wait = min(wait * 1.5, POLL_LAST)
    except TimeoutError:
        told = f"kubectl get runactions.{GROUP} {name} tells when one has"
        raise Failure(f"asked, but no controller has answered within {within:g} s: {told}", TIMED_OUT) from None
    message = one_line(status.get("message") or "")
    if status["phase"] == "Refused":
        click.echo(f"windlass: refused: {message}", err=True)
        return FAILED
    click.echo(f"{subject}: {message}")
    return OK


# What would come of it


async def _foresee(cluster: Cluster, run: Body, action: Body) -> int:
    from windlass.cli.times import now
    from windlass.engine.cache import RunCache
    from windlass.engine.record import RunKey
    from windlass.models.findings import summary
    from windlass.models.parse import InvalidObject, read_action
    from windlass.plan.action_types import Action
    from windlass.plan.actions import apply_action

    cache = RunCache()
    cache.absorb(run, in_use=True)
    record = cache.get(RunKey.of(run))
    if record is None:
        raise Failure(f"the run {run['metadata']['name']} can't be read by this command: is it older than the cluster?")
    try:
        spec = read_action({**action, "metadata": {**action["metadata"], "name": "dry-run"}})
    except InvalidObject as error:
        raise Failure(summary(error.findings), USAGE) from None
    program = await _program(cluster, run)
    moment = now()
    outcome = apply_action(record.view(), program, Action("dry-run", "dry-run", spec, moment), moment)
    if not outcome.applied:
        click.echo(f"windlass: it would be refused: {one_line(outcome.message)}", err=True)
        return FAILED
    click.echo(f"{run_name(run['metadata']['name'])}: {one_line(outcome.message)} (dry run)")
    before = {task.name: task for task in record.stored.tasks}
    for task in outcome.status.tasks:
        was = before[task.name]
        after = f"ended, then {command_of(task.order.verb)}" if task.order is not None else task.phase.value
        if task is not was:
            click.echo(f"  {task.name}: {was.phase.value} → {after}")
    return OK


async def _program(cluster: Cluster, run: Body) -> Program | None:
    """The definition that the run was started with; None when there is none."""
    from windlass.models.parse import InvalidObject, read_spec
    from windlass.plan.graph import ProgramError, compile_program

    spec = run["spec"].get("workflowSpec")
    revision = (run.get("status") or {}).get("revision")
    if spec is None and revision is not None:
        try:
            stored = await cluster.client.get(REVISIONS, cluster.namespace, revision)
        except NotFound:
            return None
        spec = (stored.get("data") or {}).get("spec")
    if spec is None:
        return None
    try:
        return compile_program(read_spec(spec))
    except (InvalidObject, ProgramError):
        return None


async def _values(cluster: Cluster, run: Body, asked: Asked) -> Body:
    """The values of a form: what is no string by its schema, or what has none, is read as JSON where it is such."""
    try:
        program = await _program(cluster, run)
    except Forbidden:
        program = None
    waiting = [task["name"] for task in runs.task_statuses(run) if task.get("reason") == "AwaitingApproval"]
    names = [*(asked.tasks or waiting)]
    node = program.nodes.get(names[0]) if program is not None and len(names) == 1 else None
    form = node.task.approval.form if node is not None and node.task.approval is not None else {}
    values: Body = {}
    for text in asked.given:
        key, separator, value = text.partition("=")
        if not separator or not key:
            raise click.UsageError(f"--set {text}: write --set name=value")
        values[key] = _value(value, form.get(key) or {})
    return values


def _value(text: str, schema: Body) -> Any:
    if schema.get("type") == "string":
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text
