"""The main container of a task: what it runs, and what it finds in its environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from windlass import names
from windlass.build import source as git
from windlass.build import workspace as shared
from windlass.build.quantity import grown
from windlass.build.request import PodRequest
from windlass.models.task import Interpreter, Task

JsonObject = dict[str, Any]

OUTPUTS: Final = "/dev/termination-log"
"""The termination message, where a task writes its outputs. In /dev, so that it is there in any image, with a
read-only root file system too."""
MAX_SCRIPT: Final = 102400
"""Bytes of a script; Linux takes 131072 in one argument."""

_INTERPRETERS: Final[Mapping[Interpreter, tuple[str, ...]]] = {
    Interpreter.SH: ("sh", "-e", "-c"),
    Interpreter.BASH: ("bash", "-eo", "pipefail", "-c"),
    # python3 is there in images that call it python too; -u, so that its log can be followed.
    Interpreter.PYTHON: ("python3", "-u", "-c"),
}
_COPIED: Final = {
    "image_pull_policy": "imagePullPolicy",
    "env_from": "envFrom",
    "ports": "ports",
    "security_context": "securityContext",
}


def main_container(request: PodRequest) -> JsonObject:
    """The container that is the task."""
    task = request.body
    container: JsonObject = {
        "name": names.MAIN_CONTAINER,
        "image": task.image or request.installation.default_image,
        **_what_runs(task),
        "env": merged_env(_environment(request), task.env),
        "terminationMessagePath": OUTPUTS,
        "terminationMessagePolicy": "File" if task.log_tail is False else "FallbackToLogsOnError",
    }
    for attribute, key in _COPIED.items():
        if (value := getattr(task, attribute)) is not None:
            container[key] = value
    if resources := grown(task.resources, request.memory):
        container["resources"] = resources
    if mounts := [*_mounts(request), *(task.volume_mounts or [])]:
        container["volumeMounts"] = mounts
    if directory := _working_dir(request):
        container["workingDir"] = directory
    if request.is_source_step:
        container |= {"image": request.installation.git_sync_image, **git.resolver()}
        container.setdefault("resources", dict(request.installation.git_sync_resources))
    return container


def run_environment(request: PodRequest) -> dict[str, str]:
    """The variables that tell any container of the pod which attempt it belongs to."""
    return {
        "WINDLASS_NAMESPACE": request.namespace,
        "WINDLASS_WORKFLOW": request.workflow,
        "WINDLASS_RUN": request.run,
        "WINDLASS_RUN_UID": request.run_uid,
        "WINDLASS_TASK": request.task,
        "WINDLASS_ATTEMPT": str(request.attempt),
        **({"WINDLASS_COMMIT": request.commit} if request.commit else {}),
        **request.environment,
    }


def merged_env(ours: Mapping[str, str], theirs: list[JsonObject] | None) -> list[JsonObject]:
    """Ours first, so that `$(WINDLASS_RUN)` works in theirs; a variable that they set too is theirs."""
    said = {entry.get("name") for entry in theirs or []}
    if "GIT_CONFIG_COUNT" in said:
        said |= {"GIT_CONFIG_KEY_0", "GIT_CONFIG_VALUE_0"}
    entries = [{"name": name, "value": value.replace("$", "$$")} for name, value in ours.items() if name not in said]
    return [*entries, *(theirs or [])]


def _what_runs(task: Task) -> JsonObject:
    if task.script is not None:
        size = len(task.script.encode())
        if size > MAX_SCRIPT:
            raise ValueError(
                f"the script is {size} bytes once its templates are filled in, and may have {MAX_SCRIPT}: "
                "put it into a file of the source or of a ConfigMap"
            )
        # Kubernetes turns $$ into $, and leaves nothing else of a script to expand.
        return {"command": [*_INTERPRETERS[task.interpreter or Interpreter.SH], task.script.replace("$", "$$")]}
    found: JsonObject = {}
    if task.command is not None:
        found["command"] = list(task.command)
    if task.args is not None:
        found["args"] = list(task.args)
    return found


def _environment(request: PodRequest) -> dict[str, str]:
    found = {} if request.body.run_as_image_user else {"HOME": "/tmp"}
    found |= run_environment(request)
    found["WINDLASS_OUTPUTS"] = OUTPUTS
    if request.is_source_step:
        return found
    if request.source is not None:
        found["WINDLASS_SOURCE"] = git.checkout(request.source)
        found |= git.environment()
    if request.workspace is not None:
        found["WINDLASS_WORKSPACE"] = request.workspace.mount_path
    return found


def _mounts(request: PodRequest) -> list[JsonObject]:
    if request.is_source_step:
        return []
    found: list[JsonObject] = []
    if request.source is not None and request.commit is not None:
        found += git.mounts(request.source, request.commit)
    if request.workspace is not None:
        found.append(shared.mount(request.workspace))
    return found


def _working_dir(request: PodRequest) -> str | None:
    said = request.body.working_dir
    if request.is_source_step or request.source is None:
        return said
    return git.working_dir(request.source, said)
