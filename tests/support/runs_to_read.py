"""Objects that the commands which look at runs are shown."""

from __future__ import annotations

from typing import Any

from support.cli import run

Body = dict[str, Any]

TASKS = [
    {
        "name": "extract",
        "phase": "Succeeded",
        "reason": "Completed",
        "startedAt": "2025-04-01T12:00:01Z",
        "finishedAt": "2025-04-01T12:01:06Z",
        "attempts": [
            {
                "number": 1,
                "class": "App",
                "reason": "Error",
                "exitCode": 1,
                "message": "no route",
                "pod": "p-extract-1",
            },
            {"number": 2, "pod": "p-extract-2", "finishedAt": "2025-04-01T12:01:06Z"},
        ],
    },
    {
        "name": "load",
        "phase": "Failed",
        "message": "the task has failed 1 time",
        "startedAt": "2025-04-01T12:01:07Z",
        "finishedAt": "2025-04-01T12:01:07.400Z",
        "dropped": 2,
        "attempts": [
            {
                "number": 3,
                "class": "OOM",
                "reason": "OOMKilled",
                "exitCode": 137,
                "message": "loading\nKilled\n",
                "hint": "give it more memory:\nresources.limits.memory",
                "pod": "p-load-3",
                "finishedAt": "2025-04-01T12:01:07.400Z",
            }
        ],
    },
    {"name": "report", "phase": "UpstreamFailed", "reason": "UpstreamFailed"},
    {"name": "tidy", "phase": "Waiting"},
]

FAILED = run(
    "sales-1",
    "Failed",
    TASKS,
    workflow="sales",
    progress="3/4",
    message="load failed",
    startedAt="2025-04-01T12:00:00Z",
    finishedAt="2025-04-01T12:01:08Z",
    duration="1m8s",
    source={
        "repo": "https://git.example.com/a.git",
        "ref": "main",
        "commit": "3f2a9d0c5b8e417f6a1d2c3b4a5968778695a4b3",
        "step": {"name": "windlass-source", "phase": "Succeeded"},
    },
)
