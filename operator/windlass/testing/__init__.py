"""Tests of Workflows without a cluster: the controller's own planner on a clock of its own.

    from windlass.testing import load, simulate

    result = simulate(load("workflow.yaml"), fail={"load": [1]}, outputs={"extract": {"rows": 3}})
    assert result.runs[0].task("load").attempts == 2

What is decided is decided by the code that decides it in a cluster; what a pod does is what the test says. No program
is run, and nothing is waited for.
"""

from windlass.testing.cues import Fault, Kind, Try
from windlass.testing.definition import Definition, load, read
from windlass.testing.errors import (
    Endless,
    InvalidWorkflow,
    OutputsMissing,
    SimulationError,
    UnknownRun,
    UnknownTask,
    WrongCue,
)
from windlass.testing.results import Attempt, Event, Launch, Run, Simulation, Task
from windlass.testing.simulation import START, simulate
from windlass.testing.timeline import timeline

__all__ = [
    "START", "Attempt", "Definition", "Endless", "Event", "Fault", "InvalidWorkflow", "Kind", "Launch",
    "OutputsMissing", "Run", "Simulation", "SimulationError", "Task", "Try", "UnknownRun", "UnknownTask", "WrongCue",
    "load", "read", "simulate", "timeline",
]  # fmt: skip
