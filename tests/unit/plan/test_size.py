"""A thousand tasks: planning takes time in proportion to them, and waiting costs no more than looking."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from time import thread_time

from support.simulate import World, workflow
from windlass.models.workflow import WorkflowSpec
from windlass.plan.graph import compile_program
from windlass.plan.run import plan_run


def seconds(work: Callable[[], object]) -> float:
    """The least processor time of five calls: others on the machine must not fail a test."""
    times = []
    for _ in range(5):
        began = thread_time()
        work()
        times.append(thread_time() - began)
    return min(times)


def running(count: int) -> World:
    world = World(workflow([{"name": f"t{number}", "timeout": "1h"} for number in range(count)]))
    world.step()
    world.now += timedelta(seconds=1)
    world.tick()
    world.step()
    return world


def test_planning_is_linear_in_the_tasks() -> None:
    small, large = (running(count) for count in (200, 1000))
    few, many = small.seen(), large.seen()
    ratio = seconds(lambda: plan_run(many, large.now)) / seconds(lambda: plan_run(few, small.now))
    assert ratio < 12
    assert plan_run(many, large.now).status is many.run.status


def test_compiling_is_linear_in_the_tasks() -> None:
    def chain(count: int) -> WorkflowSpec:
        tasks = [{"name": f"t{n}", "dependsOn": [f"t{n - 1}"] if n else []} for n in range(count)]
        return workflow(tasks)

    small, large = chain(200), chain(1000)
    assert seconds(lambda: compile_program(large)) / seconds(lambda: compile_program(small)) < 12
