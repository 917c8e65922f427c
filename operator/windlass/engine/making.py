"""Making what a plan wants: pods, runs of other Workflows, objects of other controllers; and remembering refusals."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from dataclasses import replace

from windlass.build.pod import Installation, build_pod
from windlass.engine.children import Children
from windlass.engine.launch import Launcher, pod_request
from windlass.engine.objects import Objects
from windlass.engine.pools import Pools
from windlass.engine.record import RunRecord
from windlass.engine.slots import Slots, WorkflowKey
from windlass.engine.workspaces import Workspaces
from windlass.errors import ApiError, Unreachable
from windlass.plan.types import Launch, Plan, Program, Refusal, RefusalKind


class Making:
    """Makes what the plans of runs want."""

    def __init__(
        self,
        launcher: Launcher,
        children: Children,
        objects: Objects,
        workspaces: Workspaces,
        slots: Slots,
        pools: Pools,
        installation: Installation,
    ) -> None:
        self._launcher = launcher
        self._children = children
        self._objects = objects
        self._workspaces = workspaces
        self._slots = slots
        self._pools = pools
        self._installation = installation

    async def make(self, record: RunRecord, program: Program, plan: Plan) -> bool:
        """Make it all; whether something was refused, so that the run is to be planned again."""
        no_claim: ApiError | None = None
        if plan.create_workspace and program.spec.workspace is not None:
            try:
                await self._workspaces.create(record, program.spec.workspace)
            except ApiError as error:
                no_claim = error
        workflow = WorkflowKey(record.key.namespace, record.view().workflow)
        works = (self._launch_one(record, program, launch, no_claim) for launch in plan.launches)
        answers = await asyncio.gather(*works, return_exceptions=True)
        for launch, answer in zip(plan.launches, answers, strict=True):
            if isinstance(answer, Refusal):
                record.refusals[launch.pod] = answer
                record.refused[launch.pod] = record.refused.get(launch.pod, 0) + 1
            else:
                record.refused.pop(launch.pod, None)
            if not isinstance(answer, Refusal) or answer.reason != Unreachable.__name__:
                self._slots.give_back(workflow, (launch.pod,))
                self._pools.made(record.key, launch.pod)
        others = [self._kept(record, child.name, self._children.create(record, child)) for child in plan.children]
        others += [self._kept(record, one.key, self._objects.create(record, one)) for one in plan.objects]
        answers += await asyncio.gather(*others, return_exceptions=True)
        raise_first(answers)
        return any(answer is not None for answer in answers)

    async def _kept(self, record: RunRecord, name: str, create: Awaitable[Refusal | None]) -> Refusal | None:
        """Make something that is no pod, and remember why not."""
        answer = await create
        if answer is None:
            record.refused.pop(name, None)
        else:
            record.refusals[name] = answer
            record.refused[name] = record.refused.get(name, 0) + 1
        return answer

    async def _launch_one(
        self, record: RunRecord, program: Program, launch: Launch, no_claim: ApiError | None
    ) -> Refusal | None:
        refused_before = record.refused.get(launch.pod, 0)
        if no_claim is not None:
            refusal = self._launcher.refusal(no_claim, refused_before)
            return replace(refusal, message=f"the workspace's claim: {refusal.message}")
        try:
            manifest = build_pod(pod_request(record, program, launch, self._installation))
        except ValueError as error:
            return Refusal(RefusalKind.LAUNCH, "Invalid", str(error))
        return await self._launcher.launch(launch, manifest, refused_before)


def raise_first(answers: Iterable[object]) -> None:
    """Raise the first error among the answers of requests made together, after all were heard."""
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
