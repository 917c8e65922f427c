"""A task of a Workflow: what it runs, when it starts, and how it is tried again."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from windlass.models.common import Duration, JsonObject, Model

TaskName = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", min_length=1, max_length=63)]


class TriggerRule(StrEnum):
    """When a task starts, by the ends of its direct upstream tasks. The meanings are those of Airflow 3."""

    ALL_SUCCESS = "AllSuccess"
    ALL_FAILED = "AllFailed"
    ALL_DONE = "AllDone"
    ALL_DONE_MIN_ONE_SUCCESS = "AllDoneMinOneSuccess"
    ALL_SKIPPED = "AllSkipped"
    ONE_SUCCESS = "OneSuccess"
    ONE_FAILED = "OneFailed"
    ONE_DONE = "OneDone"
    NONE_FAILED = "NoneFailed"
    NONE_FAILED_MIN_ONE_SUCCESS = "NoneFailedMinOneSuccess"
    NONE_SKIPPED = "NoneSkipped"
    ALWAYS = "Always"


class Interpreter(StrEnum):
    """What runs a script."""

    SH = "sh"
    BASH = "bash"
    PYTHON = "python"


class KeepPods(StrEnum):
    """Which pods stay for a while after their end, for their logs."""

    ALWAYS = "Always"
    ON_FAILURE = "OnFailure"
    NEVER = "Never"


class ExitCodes(Model):
    """Exit codes that decide by themselves whether an attempt is repeated."""

    never: list[Annotated[int, Field(ge=1, le=255)]] = Field(default=[], max_length=64)
    """Exit codes that no retry can mend: the task fails at once."""
    always: list[Annotated[int, Field(ge=1, le=255)]] = Field(default=[], max_length=64)
    """Exit codes that are retried without spending `limit`."""


class OomGrowth(Model):
    """How the memory of a task grows when it was killed for want of it."""

    factor: Annotated[float, Field(ge=1, le=16)] = 1.5
    """Each attempt after an OOM kill gets the memory request and limit of the one before times this."""
    max: Annotated[str, Field(max_length=32)] | None = None
    """The most memory that an attempt may get, as a Kubernetes quantity: `8Gi`."""


class Retry(Model):
    """How often and when a failed attempt is repeated."""

    limit: Annotated[int, Field(ge=0, le=100)] | None = None
    """Retries after a failure of the task's own: 3 makes at most four attempts. 0 by default."""
    delay: Duration | None = None
    """The wait before the first retry. 10s by default."""
    factor: Annotated[float, Field(ge=1, le=100)] | None = None
    """The wait before retry n is `delay × factor^(n−1)`. 1 by default."""
    max_delay: Duration | None = None
    """The longest wait."""
    jitter: Annotated[float, Field(ge=0, le=1)] | None = None
    """The fraction by which a wait may be shortened, so that many retries don't come at once. 0 by default."""
    exit_codes: ExitCodes | None = None
    infra_limit: Annotated[int, Field(ge=0, le=100)] | None = None
    """Retries after failures of the infrastructure (eviction, a lost node). 5 by default."""
    oom: OomGrowth | None = None


class ContainerFields(Model):
    """What a container task takes, and what `taskDefaults` may give to all. Fields of Kubernetes' own types are
    checked by the API server when the pod is made."""

    image: Annotated[str, Field(min_length=1, max_length=512)] | None = None
    """The container's image. Without it: `taskDefaults.image`, else the installation's default."""
    image_pull_policy: Annotated[str, Field(pattern="^(Always|IfNotPresent|Never)$")] | None = None
    image_pull_secrets: list[JsonObject] | None = None
    env: list[JsonObject] | None = None
    """Environment variables, as a container's. Values may hold templates; a sensitive parameter is the whole value."""
    env_from: list[JsonObject] | None = None
    ports: list[JsonObject] | None = None
    resources: JsonObject | None = None
    """Requests and limits, as a container's."""
    volumes: list[JsonObject] | None = None
    volume_mounts: list[JsonObject] | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    node_selector: dict[str, str] | None = None
    affinity: JsonObject | None = None
    tolerations: list[JsonObject] | None = None
    service_account_name: Annotated[str, Field(max_length=253)] | None = None
    security_context: JsonObject | None = None
    """The main container's security context, over the restricted defaults."""
    run_as_image_user: bool | None = None
    """True keeps the user of the image instead of user 65532."""
    automount_service_account_token: bool | None = None
    """True gives the pod the token of its service account. False by default."""
    priority_class_name: Annotated[str, Field(max_length=253)] | None = None
    scheduler_name: Annotated[str, Field(max_length=253)] | None = None
    init_containers: list[JsonObject] | None = None
    sidecars: list[JsonObject] | None = None
    """Containers beside the task's, run as native sidecars: they are stopped when the task has ended."""
    host_aliases: list[JsonObject] | None = None
    dns_config: JsonObject | None = None
    dns_policy: Annotated[str, Field(max_length=64)] | None = None
    runtime_class_name: Annotated[str, Field(max_length=253)] | None = None
    termination_grace_period: Duration | None = None
    working_dir: Annotated[str, Field(max_length=4096)] | None = None
    """The working directory. The source's `path` by default, where there is a source."""
    pod_template: JsonObject | None = None
    """A partial PodTemplateSpec that is merged last (strategic merge: containers by name; the task's is `main`)."""
    interpreter: Interpreter | None = None
    """What runs `script`: sh by default."""
    retry: Retry | None = None
    timeout: Duration | None = None
    """How long an attempt may run, from the start of its main container."""
    start_timeout: Duration | None = None
    """How long a pod may take to start its main container (image pull, scheduling). 10m by default."""
    keep_pods: KeepPods | None = None
    """OnFailure by default."""
    keep_pods_for: Duration | None = None
    """How long a kept pod stays. 1h by default."""
    log_tail: bool | None = None
    """False keeps the last lines of the log out of the status, for tasks whose logs may hold secrets."""


class TaskDefaults(ContainerFields):
    """What each task has unless it says another. A task's own value replaces the default's as a whole;
    `env`, `labels`, `annotations`, `nodeSelector` and `retry` are merged by name or key."""


class Task(ContainerFields):
    """One task: a container (`command`/`args`, or `image` alone), a `script`, or neither: a join."""

    name: TaskName
    """The task's name, unique in the workflow, `finally` included; it can't begin with `windlass-`."""
    description: Annotated[str, Field(max_length=1024)] | None = None
    depends_on: Annotated[list[TaskName], Field(max_length=1000, json_schema_extra={"x-kubernetes-list-type": "set"})] = []
    """The direct upstream tasks."""
    trigger_rule: TriggerRule = TriggerRule.ALL_SUCCESS
    when: str | bool | None = None
    """A template; false skips the task. It is asked after the trigger rule has said start."""
    allow_failure: bool = False
    """True: a failure of this task doesn't fail the run."""
    command: list[str] | None = None
    """The command; the image's own entrypoint when both this and `args` are absent."""
    args: list[str] | None = None
    script: Annotated[str, Field(min_length=1, max_length=102400)] | None = None
    """A script of at most 100 KiB, run by `interpreter`; sh and bash with -e, bash with pipefail too."""


