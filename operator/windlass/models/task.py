"""A task of a Workflow: what it runs, when it starts, and how it is tried again."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from windlass.models.approval import Approval
from windlass.models.asset import AssetName
from windlass.models.branching import Case, GroupName
from windlass.models.child import ChildRun
from windlass.models.common import LIST_SET, NAME_PATTERN, SERVER_DEFAULT, Duration, JsonObject, Model, Quantity
from windlass.models.external import ExternalResource
from windlass.models.foreach import ForEach
from windlass.models.wait import WaitFor

TaskName = Annotated[str, Field(pattern=NAME_PATTERN, min_length=1, max_length=63)]
UpstreamName = Annotated[str, Field(min_length=1, max_length=63)]
"""Not held to a pattern, which costs a server more than all else for many edges: it has to be the name of a task."""
Text = Annotated[str, Field(max_length=131072)]
"""One argument of a command, or a word of it: what Linux takes as one argument."""


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
    """Exit codes that decide by themselves whether a failed attempt is repeated."""

    never: list[Annotated[int, Field(ge=1, le=255)]] = Field(default=[], max_length=64)
    """Exit codes that no retry can mend: the task fails at once."""
    always: list[Annotated[int, Field(ge=1, le=255)]] = Field(default=[], max_length=64)
    """Exit codes that are retried without spending `limit`."""


class OomGrowth(Model):
    """How the memory of a task grows when it was killed for want of it."""

    factor: Annotated[float, Field(ge=1, le=16, json_schema_extra=SERVER_DEFAULT)] = 1.5
    """Each attempt after an OOM kill gets the memory request and limit of the one before, times this."""
    max: Quantity | None = None
    """The most memory that an attempt may get, as a Kubernetes quantity: `8Gi`."""


class Retry(Model):
    """How often, and when, a failed attempt is repeated."""

    limit: Annotated[int, Field(ge=0, le=100)] | None = None
    """Retries after a failure of the task's own: 3 makes at most four attempts. 0 by default."""
    delay: Duration | None = None
    """The wait before the first retry. 10s by default."""
    factor: Annotated[float, Field(ge=1, le=100)] | None = None
    """The wait before retry n is `delay × factor^(n−1)`. 1 by default."""
    max_delay: Duration | None = None
    """The longest wait. None by default."""
    jitter: Annotated[float, Field(ge=0, le=1)] | None = None
    """The fraction by which a wait may be shortened, so that many retries don't come at once. 0 by default."""
    exit_codes: ExitCodes | None = None
    """Exit codes that are never, or always, retried."""
    infra_limit: Annotated[int, Field(ge=0, le=100)] | None = None
    """Retries after failures of the infrastructure (eviction, preemption, a lost node), which come at once and don't
    spend `limit`. 5 by default."""
    oom: OomGrowth | None = None
    """How memory grows after an OOM kill. Without it, it doesn't."""


class ContainerFields(Model):
    """What a container task takes, and what `taskDefaults` may give to all. Fields of Kubernetes' own types are
    checked by the API server when the pod is made."""

    image: Annotated[str, Field(min_length=1, max_length=512)] | None = None
    """The container's image. Without it: `taskDefaults.image`, else the installation's default (`python:3.12-slim`)."""
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] | None = None
    """When the image is pulled. Kubernetes' own default: Always for the tag `latest`, else IfNotPresent."""
    image_pull_secrets: list[JsonObject] | None = None
    """The Secrets that hold the registry's credentials, as a pod's: `[{name: registry}]`."""
    env: list[JsonObject] | None = None
    """Environment variables, as a container's. Values may hold templates; a sensitive parameter is the whole value."""
    env_from: list[JsonObject] | None = None
    """ConfigMaps and Secrets whose keys become environment variables, as a container's."""
    ports: list[JsonObject] | None = None
    """The container's ports."""
    resources: JsonObject | None = None
    """Requests and limits, as a container's: `{requests: {cpu: 500m, memory: 1Gi}, limits: {memory: 1Gi}}`."""
    volumes: list[JsonObject] | None = None
    """The pod's volumes."""
    volume_mounts: list[JsonObject] | None = None
    """Where the container sees the volumes."""
    labels: dict[str, str] | None = None
    """More labels of the pod. Those of `windlass.dev/` are Windlass's own."""
    annotations: dict[str, str] | None = None
    """More annotations of the pod."""
    node_selector: dict[str, str] | None = None
    """Labels that the pod's node must have."""
    affinity: JsonObject | None = None
    """Which nodes, and which pods beside it, the pod wants or avoids."""
    tolerations: list[JsonObject] | None = None
    """The taints of nodes that the pod tolerates."""
    service_account_name: Annotated[str, Field(max_length=253)] | None = None
    """The pod's service account: `default` if absent."""
    security_context: JsonObject | None = None
    """The main container's security context, over the restricted defaults."""
    run_as_image_user: bool | None = None
    """True keeps the user that the image says, instead of user and group 65532. False by default."""
    automount_service_account_token: bool | None = None
    """True gives the pod the token of its service account. False by default."""
    priority_class_name: Annotated[str, Field(max_length=253)] | None = None
    """The PriorityClass that decides which pods go first, and which are preempted."""
    scheduler_name: Annotated[str, Field(max_length=253)] | None = None
    """The scheduler of the pod, where the cluster has another beside its own."""
    init_containers: list[JsonObject] | None = None
    """Containers that run, one after the other, before the task's."""
    sidecars: list[JsonObject] | None = None
    """Containers beside the task's, run as native sidecars: they are stopped when the task has ended."""
    host_aliases: list[JsonObject] | None = None
    """More lines of the pod's /etc/hosts."""
    dns_config: JsonObject | None = None
    """The pod's own name servers and search domains."""
    dns_policy: Annotated[str, Field(max_length=64)] | None = None
    """How the pod resolves names: ClusterFirst by default."""
    runtime_class_name: Annotated[str, Field(max_length=253)] | None = None
    """The RuntimeClass of the pod, such as `gvisor`."""
    termination_grace_period: Duration | None = None
    """How long the processes may take to end after they were asked to, in whole seconds. 30s by default."""
    working_dir: Annotated[str, Field(max_length=4096)] | None = None
    """The working directory. The source's `path` by default, where there is a source."""
    pod_template: JsonObject | None = None
    """A partial PodTemplateSpec that is merged last (strategic merge: containers by name; the task's is `main`)."""
    interpreter: Interpreter | None = None
    """What runs `script`: sh by default."""
    pool: Annotated[str, Field(pattern=NAME_PATTERN, min_length=1, max_length=63)] | None = None
    """The Pool, in the run's namespace, whose slots the task's pod takes while it lives, once they are free."""
    slots: Annotated[int, Field(ge=1, le=100000)] | None = None
    """How many slots of the pool the pod takes. 1 by default."""
    priority: Annotated[int, Field(ge=-1000, le=1000)] | None = None
    """Which of the tasks that wait for slots of a pool go first: those with more. 0 by default. Waiting counts too."""
    retry: Retry | None = None
    """How often, and when, a failed attempt is repeated. Never by default, but after failures of the infrastructure."""
    timeout: Duration | None = None
    """How long an attempt may run, from the start of its main container. Without limit by default."""
    start_timeout: Duration | None = None
    """How long a pod may take to start its main container (image pull, scheduling). 10m by default."""
    keep_pods: KeepPods | None = None
    """Which pods stay after their end, so that their logs can be read. OnFailure by default."""
    keep_pods_for: Duration | None = None
    """How long a kept pod stays. 1h by default."""
    log_tail: bool | None = None
    """False keeps the last lines of the log out of the status, for tasks whose logs may hold secrets. True by
    default."""


class TaskDefaults(ContainerFields):
    """What each task has unless it says another. A task's own value replaces the default's as a whole;
    `env`, `labels`, `annotations`, `nodeSelector` and `retry` are merged by name or key."""


class Task(ContainerFields):
    """One task: a container (`command`/`args`, or `image` alone), a `script`, or neither: a join."""

    name: TaskName
    """The task's name, unique in the workflow, `finally` included; it can't begin with `windlass-`."""
    description: Annotated[str, Field(max_length=1024)] | None = None
    """What the task is for, in a sentence or two."""
    depends_on: Annotated[list[UpstreamName], Field(max_length=1000, json_schema_extra=LIST_SET)] = []
    """The names of the direct upstream tasks. In `finally`: of other tasks of `finally`."""
    trigger_rule: TriggerRule = TriggerRule.ALL_SUCCESS
    """When the task starts, by the ends of its direct upstream tasks."""
    group: GroupName | None = None
    """The group that the task belongs to: tasks of a group are shown together, and addressed together by actions."""
    teardown_of: Annotated[list[UpstreamName], Field(max_length=100, json_schema_extra=LIST_SET)] = []
    """The tasks that have set up what this one puts away. It runs once they, and the tasks of `dependsOn`, have ended,
    if one of them succeeded: whatever the others did, and also when the run is cancelled. Its `allowFailure` is true by
    default."""
    when: Annotated[str, Field(min_length=1, max_length=4096)] | None = None
    """A template, asked after the trigger rule has said start: when it is false, the task is skipped. One that reads
    `item` or `index` is asked for each instance of a `forEach`."""
    for_each: ForEach | None = None
    """Repeats the task for each item of a list, a matrix, or a count."""
    depends_on_past: bool = False
    """True: the task starts only when the same task of the run of the slot before has succeeded or was skipped."""
    switch: Annotated[list[Case], Field(min_length=1, max_length=100)] | None = None
    """For a join: chooses which of the tasks that depend on it go on; the others that it names are skipped."""
    produces: Annotated[list[AssetName], Field(max_length=10, json_schema_extra=LIST_SET)] = []
    """The assets that the task has produced once it has succeeded: Workflows may follow them (`schedule.after`), and
    find the task's outputs as their fields."""
    allow_failure: bool | None = None
    """True: a failure of this task doesn't fail the run. For trigger rules it counts as a failure. False by default,
    but for a teardown."""
    command: Annotated[list[Text], Field(max_length=1000)] | None = None
    """The command; the image's own entrypoint when both this and `args` are absent. Its strings may hold templates."""
    args: Annotated[list[Text], Field(max_length=1000)] | None = None
    """Arguments of the command or of the image's entrypoint. They may hold templates."""
    script: Annotated[str, Field(min_length=1, max_length=102400)] | None = None
    """A script of at most 100 KiB, run by `interpreter`; sh and bash with -e, bash with pipefail too. It may hold
    templates: quote what comes from outside, or better hand it over in `env`."""
    wait_for: WaitFor | None = None
    """Something outside of the run that the task waits for, without a pod."""
    resource: ExternalResource | None = None
    """An object of the cluster that the task makes and follows to its end, instead of a pod."""
    run: ChildRun | None = None
    """A run of another Workflow, instead of a pod."""
    approval: Approval | None = None
    """Asks people instead of running something: the task waits until one approves or rejects."""
