"""What must be the same wherever pods run, of a single task: what it is given, and how its attempts end."""

from __future__ import annotations

from collections.abc import Callable

from support.behaviour import Behaviour, Spec, Status, one, succeeded
from support.clusters import task


def _shells(status: Status) -> None:
    succeeded(status)
    assert task(status, "bash")["outputs"] == {"n": 2, "pid": "$$", "name": "$(NAME)"}


SHELLS: Spec = {
    "tasks": [
        {
            "name": "bash",
            "interpreter": "bash",
            "script": 'a=(x y)\n[ ${#a[@]} = 2 ]\n[ -n "$$" ]\n'
            """printf '{"n": %s, "pid": "$$", "name": "$(NAME)"}' "${#a[@]}" > "$WINDLASS_OUTPUTS\"""",
        },
        {"name": "args", "command": ["sh", "-c", 'test "$0" = "{{ 1 + 1 }}" && test "$1" = x', "{{ 1 + 1 }}", "x"]},
    ]
}


def _told(status: Status) -> None:
    assert status["phase"] == "Failed"
    attempt = task(status, "a")["attempts"][0]
    assert (attempt["class"], attempt["exitCode"]) == ("App", 3)
    assert "the table is missing" in attempt["message"]
    assert attempt["hint"]


def _retried(status: Status) -> None:
    succeeded(status)
    attempts = task(status, "a")["attempts"]
    assert [attempt["number"] for attempt in attempts] == [1, 2]
    assert (attempts[0]["class"], attempts[0]["exitCode"]) == ("App", 7)


def _never(status: Status) -> None:
    assert status["phase"] == "Failed"
    assert len(task(status, "a")["attempts"]) == 1


def _too_long(status: Status) -> None:
    assert status["phase"] == "Failed"
    assert task(status, "a")["attempts"][0]["class"] == "Timeout"


def _environment(status: Status) -> None:
    succeeded(status)
    outputs = task(status, "a")["outputs"]
    assert (outputs["task"], outputs["attempt"], outputs["trigger"]) == ("a", "1", "Manual")
    assert outputs["date"] == "2025-04-01T17:00:00Z"
    assert outputs["home"] == "/tmp"


ENVIRONMENT = one(
    """printf '{"task":"%s","attempt":"%s","trigger":"%s","date":"%s","home":"%s"}' """
    '"$WINDLASS_TASK" "$WINDLASS_ATTEMPT" "$WINDLASS_TRIGGER" "$WINDLASS_LOGICAL_DATE" "$HOME" > "$WINDLASS_OUTPUTS"'
)


def _no_secret(status: Status) -> None:
    assert status["phase"] == "Failed"
    attempt = task(status, "a")["attempts"][0]
    assert attempt["class"] == "Start"
    assert "not-there" in attempt["message"]
    assert attempt["hint"]


NO_SECRET = one(
    "true",
    startTimeout="15s",
    env=[{"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "not-there", "key": "token"}}}],
)


def _bad_outputs(reason: str) -> Callable[[Status], None]:
    def check(status: Status) -> None:
        assert status["phase"] == "Failed"
        assert task(status, "a")["attempts"][0]["reason"] == reason

    return check


def _limit(status: Status) -> None:
    assert status["phase"] == "Failed"
    assert task(status, "a")["attempts"][0]["class"] == "OOM"
    assert "32Mi" in task(status, "a")["attempts"][0]["hint"]


def _grown(status: Status) -> None:
    succeeded(status)
    attempts = task(status, "a")["attempts"]
    assert attempts[0]["class"] == "OOM"
    assert attempts[1]["memory"] == "256Mi"


EAT = """\
python3 -c 'data = bytearray(100 << 20)
for at in range(0, len(data), 4096):
    data[at] = 1' || { code=$?; sleep 1; exit $code; }
"""
"""The shell outlives the kill where the kernel kills one process only: runtimes are told of a kill a moment after it,
and some miss that of a container which has ended by then."""


MEMORY = {"requests": {"memory": "32Mi"}, "limits": {"memory": "32Mi"}}


def _log_kept(status: Status) -> None:
    assert status["phase"] == "Failed"
    attempt = task(status, "a")["attempts"][0]
    assert attempt["exitCode"] == 4
    assert "done" in attempt["message"]
    assert len(attempt["message"].encode()) <= 1024


ATTEMPTS: dict[str, Behaviour] = {
    "shells-and-dollars": Behaviour(SHELLS, _shells),
    "a-failure-is-told": Behaviour(one("echo the table is missing; exit 3"), _told),
    "a-retry": Behaviour(one('[ "$WINDLASS_ATTEMPT" = 2 ] || exit 7', retry={"limit": 1, "delay": "1s"}), _retried),
    "an-exit-code-that-is-never-retried": Behaviour(
        one("exit 2", retry={"limit": 3, "delay": "1s", "exitCodes": {"never": [2]}}), _never
    ),
    "a-timeout": Behaviour(one("sleep 600", timeout="2s", terminationGracePeriod="1s"), _too_long),
    "environment": Behaviour(ENVIRONMENT, _environment, run={"logicalDate": "2025-04-01T17:00:00Z"}),
    "a-secret-that-is-missing": Behaviour(NO_SECRET, _no_secret),
    "outputs-no-json": Behaviour(one('echo rows=3 > "$WINDLASS_OUTPUTS"'), _bad_outputs("OutputsInvalid")),
    "outputs-too-large": Behaviour(
        one('head -c 9000 /dev/zero | tr "\\0" x > "$WINDLASS_OUTPUTS"'), _bad_outputs("OutputsTooLarge")
    ),
    "a-gigabyte-of-logs": Behaviour(
        one("head -c 1000000000 /dev/zero | tr '\\0' x | fold -w 1000; echo done; exit 4", timeout="2m"),
        _log_kept,
    ),
    "out-of-memory": Behaviour({"tasks": [{"name": "a", "script": EAT, "resources": MEMORY}]}, _limit, real_only=True),
    "out-of-memory-grows": Behaviour(
        {
            "tasks": [
                {
                    "name": "a",
                    "script": EAT,
                    "resources": MEMORY,
                    "retry": {"limit": 1, "delay": "0s", "oom": {"factor": 8, "max": "1Gi"}},
                }
            ]
        },
        _grown,
        real_only=True,
    ),
}
