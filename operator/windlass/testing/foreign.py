"""Objects that tasks make: in a simulation they are there at once, and are done after the task's duration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from windlass.models.external import ExternalResource
from windlass.models.wait import ObjectTest
from windlass.names import LABEL_TASK, short_hash
from windlass.plan.known_kinds import ends_of
from windlass.plan.sights import ObjectQuestion, Sight, SightKind
from windlass.plan.task_types import ObjectLaunch, ObjectRemoval
from windlass.plan.types import Plan
from windlass.testing.agenda import Agenda
from windlass.testing.cues import Cues, Fault, Kind
from windlass.testing.errors import WrongCue
from windlass.testing.kubelet import try_of
from windlass.testing.sensing import said_by, with_value
from windlass.testing.work import RunInWork

Body = dict[str, Any]


class Foreign:
    """Makes and deletes objects, and plays their controllers."""

    def __init__(self, agenda: Agenda, cues: Cues) -> None:
        self._agenda = agenda
        self._cues = cues

    def act(self, run: RunInWork, plan: Plan) -> None:
        """Do what the plan wants of objects, and have it look at those that it asks for."""
        for launch in plan.objects:
            self._make(run, launch)
        for removal in plan.removals:
            self._remove(run, removal)
        if plan.questions != run.questions:
            run.questions = plan.questions
            self._agenda.note(self._agenda.now, run)

    def sights(self, run: RunInWork, awaited: Mapping[ObjectQuestion, Sight]) -> dict[ObjectQuestion, Sight]:
        """The objects that tasks of the run have made, beside those that others wait for."""
        names = {one.object for task in run.view.status.tasks for one in task.attempts if one.object is not None}
        found = dict(awaited)
        for question in run.questions:
            if question.name not in names:
                continue
            made = run.objects.get(question.name or "")
            there = awaited[question].objects if question in awaited else ()
            objects = [_both(there[0] if there else {}, made)] if made is not None else []
            found[question] = Sight(SightKind.SEEN, objects)
        return found

    def _make(self, run: RunInWork, launch: ObjectLaunch) -> None:
        metadata = launch.body["metadata"]
        task, name = metadata["labels"][LABEL_TASK], metadata["name"]
        node = run.definition.program.nodes[task]
        assert node.task.resource is not None, "only tasks with a resource make an object"
        one = try_of(run, task, launch.attempt)
        fault, ends = self._cues.fault(one), _ends(node.task.resource, launch.body)
        uid = short_hash("object", run.view.uid, launch.key)
        made: Body = {**launch.body, "metadata": {**metadata, "uid": uid}}
        done = made
        for output, value in self._cues.puts_out(one).items() if fault is None else ():
            path = node.task.resource.outputs.get(output)
            if path is None:
                raise WrongCue(f"{task} can't put out {output}: resource.outputs doesn't say where it stands")
            done = with_value(done, path, value)
        run.objects[name] = made if ends[0] else done
        self._agenda.note(self._agenda.now, run)
        if fault is not None and fault.kind is Kind.TIMEOUT and node.timeout is None:
            raise WrongCue(f"{task} can't time out: it has no timeout")
        test = _test(task, made["kind"], fault, ends)
        if fault is not None and fault.kind is Kind.INFRA:
            self._after(run, task, name, made, None)
        elif test is not None:
            self._after(run, task, name, made, said_by(task, test, done))

    def _after(self, run: RunInWork, task: str, name: str, before: Body, after: Body | None) -> None:
        self._agenda.note(self._agenda.now + self._cues.lasts(task), run, partial(_becomes, run, name, before, after))

    def _remove(self, run: RunInWork, removal: ObjectRemoval) -> None:
        name = removal.question.name or ""
        if name in run.objects and run.objects[name]["metadata"]["uid"] == removal.uid:
            del run.objects[name]
            self._agenda.note(self._agenda.now, run)


def _becomes(run: RunInWork, name: str, before: Body, after: Body | None) -> bool:
    """The object changes, or is gone; unless it is another by now."""
    if run.objects.get(name) is not before:
        return False
    if after is None:
        del run.objects[name]
    else:
        run.objects[name] = after
    return True


def _ends(made: ExternalResource, body: Mapping[str, Any]) -> tuple[Sequence[ObjectTest], Sequence[ObjectTest]]:
    known = ends_of(body["apiVersion"], body["kind"])
    success = known.success if made.success_when is None else made.success_when
    return success, known.failure if made.failure_when is None else made.failure_when


def _test(
    task: str, kind: str, fault: Fault | None, ends: tuple[Sequence[ObjectTest], Sequence[ObjectTest]]
) -> ObjectTest | None:
    """What the object says in the end; None: nothing more than that it is there."""
    success, failure = ends
    if fault is None:
        return success[0] if success else None
    if fault.kind in (Kind.TIMEOUT, Kind.INFRA) and success:
        return None
    if fault.kind is Kind.ERROR and failure:
        return failure[0]
    told = "Error where it says failureWhen, Timeout or Infra where it says successWhen"
    raise WrongCue(f"{task} makes a {kind}: it fails with {told}")


def _both(awaited: Mapping[str, Any], made: Body) -> Body:
    """An object that one task makes and another waits for."""
    return {**made, **awaited, "metadata": made["metadata"]}
