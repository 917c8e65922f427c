"""Every phase and reason of runs and tasks: what it means, what comes next, and what the reader may do.

`docs/phases-and-reasons.md` is made from this table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from windlass.models.run import RunPhase, TaskPhase

R, T = RunPhase, TaskPhase


@dataclass(frozen=True, slots=True)
class Entry:
    """A row. Without reason: the phase itself."""

    phase: RunPhase | TaskPhase
    reason: str
    meaning: str
    then: str = ""
    do: str = ""


KUBERNETES: Final = "(Kubernetes' own)"
"""The reason of a row that stands for all that the kubelet, the scheduler or the API server may say."""

RUNS: Final[Sequence[Entry]] = (
    Entry(R.PENDING, "", "The run was made, and is not yet looked at.", "Queued, or Refused.",
          "Nothing. When it stays so, no controller is running: `kubectl get lease -A`."),
    Entry(R.PENDING, "WorkflowNotFound", "Its Workflow does not exist, or not yet.", "Refused five minutes after "
    "its creation.",
          "Apply the Workflow, or correct `spec.workflow` in another run."),
    Entry(R.QUEUED, "Admitted", "The run was accepted, and waits to start.", "Running."),
    Entry(R.QUEUED, "MaxActiveRuns", "As many runs of its Workflow are under way as `concurrency.maxActiveRuns` "
    "allows; the message names them.", "Running, in its turn: by `priority`, then by logical date.",
          "Raise `maxActiveRuns`, or give the run a higher `priority`."),
    Entry(R.QUEUED, "DependsOnPast", "`dependsOnPast`: the run of the slot before it has not succeeded yet; the "
    "message names it.", "Running, once that one has.",
          "See what keeps that run: a failed one is retried, or what failed of it marked as succeeded. Once it is "
          "deleted, the run before it counts."),
    Entry(R.QUEUED, "Replacing", "The policy is Replace: the run that it replaces is being stopped.", "Running, when "
    "that one has ended."),
    Entry(R.QUEUED, "Suspended", "`spec.suspend` is true: it waits outside of the line of those that want a turn.",
          "Running, in its turn.", "Set `spec.suspend` to false."),
    Entry(R.RUNNING, "TasksRunning", "Its tasks are run as their dependencies allow.", "An end, when all tasks have "
    "ended."),
    Entry(R.RUNNING, "Cancelled", "It was told to stop: what runs is ended, then `finally` runs.", "Cancelled.",
          "Nothing; `spec.stop: Terminate` leaves `finally` out."),
    Entry(R.RUNNING, "Terminated", "It was told to stop at once: everything is ended.", "Cancelled."),
    Entry(R.RUNNING, "Replaced", "The policy is Replace, and a newer run wants its turn: what runs is ended, then "
    "`finally` runs.", "Cancelled."),
    Entry(R.RUNNING, "TimedOut", "Its `timeout` has passed: what runs is ended, then `finally` runs for up to ten "
                                 "minutes.",
          "Failed."),
    Entry(R.RUNNING, "SourceFailed", "The commit of `source` could not be had: nothing is started.", "Failed."),
    Entry(R.SUSPENDED, "Suspended", "`spec.suspend` is true, or an action suspended it: what runs goes on, nothing new "
          "starts.", "Running.",
          "`windlass resume RUN`, or set `spec.suspend` to false."),
    Entry(R.SUCCEEDED, "Completed", "No task failed, but for those that may."),
    Entry(R.FAILED, "TasksFailed", "Tasks failed for good; the message names them.", "",
          "Read their messages and hints: `windlass status RUN`, `windlass logs RUN TASK`."),
    Entry(R.FAILED, "TimedOut", "The run took longer than its `timeout`.", "", "Raise `timeout`, or see which task "
    "took long."),
    Entry(R.FAILED, "SourceFailed", "git could not give the commit of `source`; the message is git's.", "",
          "See the hint of `status.source.step`: repository, ref, or credentials."),
    Entry(R.FAILED, "DefinitionLost", "The ControllerRevision that the run was pinned to is gone or can't be read.", "",
          "Start another run; find out who deletes ControllerRevisions."),
    Entry(R.CANCELLED, "Cancelled", "It was stopped by `spec.stop: Cancel`; its `finally` has run."),
    Entry(R.CANCELLED, "Terminated", "It was stopped by `spec.stop: Terminate`; nothing of it ran any more."),
    Entry(R.CANCELLED, "SkippedByPolicy", "`maxActiveRuns` was reached when it came, and the policy is Skip; the "
    "message names what was under way.", "", "Start it again later, or choose the policy Queue."),
    Entry(R.CANCELLED, "Replaced", "A newer run took its place: the policy is Replace.", "",
          "Choose the policy Queue where each run counts."),
    Entry(R.REFUSED, "SpecInvalid", "The definition can't be run; the message holds every finding.", "",
          "Mend the Workflow (`windlass lint FILE`), then start another run."),
    Entry(R.REFUSED, "ParamsInvalid", "The run's parameters are not as the Workflow wants them.", "",
          "Start another run with the values that the message asks for."),
    Entry(R.REFUSED, "TasksInvalid", "The run is of a part of the tasks, and what they need can't be taken over.", "",
          "Start another run with the tasks, or from the run, that the message asks for."),
    Entry(R.REFUSED, "WorkflowNotFound", "Its Workflow did not come within five minutes.", "",
          "Apply the Workflow, then start another run."),
)  # fmt: skip

TASKS: Final[Sequence[Entry]] = (
    Entry(T.WAITING, "", "Tasks before it have not all ended, or the source is not yet resolved.", "What its "
    "trigger rule says."),
    Entry(T.QUEUED, "Suspended", "It is ready; the run is suspended.", "Starting, when the run goes on."),
    Entry(T.QUEUED, "DependsOnPast", "`dependsOnPast`: the same task of the run of the slot before has not succeeded "
    "yet; the message names that run.", "Starting, once it has succeeded or was skipped.",
          "See that task: retry it, or mark it as succeeded."),
    Entry(T.QUEUED, "MaxActiveTasks", "It is ready; the Workflow has as many tasks running as it may.", "Starting.",
          "Raise `concurrency.maxActiveTasks`."),
    Entry(T.QUEUED, "WaitingForPool", "Its pool has no slots free for it, or others go first.", "Starting.",
          "`windlass list pools` shows who is next. Raise `priority`, or the pool's `slots`."),
    Entry(T.QUEUED, "PoolNotFound", "There is no Pool of that name in its namespace.", "Starting, once it is made.",
          "Make the Pool, or correct `pool`."),
    Entry(T.QUEUED, "PoolTooSmall", "It wants more slots than its pool has in all.", "Starting, once the pool is "
    "large enough.", "Raise the pool's `slots`, or lower the task's."),
    Entry(T.QUEUED, "QuotaExceeded", "A ResourceQuota of the namespace is used up.", "It is tried again, until "
    "there is room.",
          "Wait, lower `resources.requests`, or ask for a larger quota."),
    Entry(T.QUEUED, "NotPermitted", "Windlass, or the task's service account, lacks a right; the message names it.",
          "It is tried again, until the right is there.",
          "Give the service account that the message names the right, or ask for the Role of the chart."),
    Entry(T.QUEUED, "TooManyRequests", "The API server asked to wait.", "It is tried again."),
    Entry(T.QUEUED, "ServerError", "The API server, or a webhook of it, failed.", "It is tried again.",
          "When it stays so: the message says which webhook."),
    Entry(T.QUEUED, "Unreachable", "The API server did not answer.", "It is tried again."),
    Entry(T.STARTING, "", "Its pod was made and has not started.", "Running; after `startTimeout` a failure of "
    "class Start."),
    Entry(T.STARTING, "Unschedulable", "No node takes the pod; the message says why.", "As above.",
          "See the message: requests, selectors, taints, volumes."),
    Entry(T.STARTING, KUBERNETES, "Why the kubelet has not started it: ImagePullBackOff, "
                                  "CreateContainerConfigError…", "As above.",
          "See the table of failures for each."),
    Entry(T.STARTING, "Stopping", "As for a task that runs.", "Cancelled, or what the action says."),
    Entry(T.RUNNING, "", "Its main container runs.", "Succeeded, Retrying or Failed."),
    Entry(T.RUNNING, "NodeUnreachable", "Its node does not answer.", "After ten minutes it is tried elsewhere.",
          "Look at the node. The process may still run there."),
    Entry(T.RUNNING, "Stopping", "The run is stopped, or an action wants something else of the task: its pod was "
          "told to end.", "Cancelled, or what the action says."),
    Entry(T.RUNNING, "AwaitingApproval", "It waits for a person's answer; the message is the question.",
          "Succeeded, or Failed.",
          "`windlass approve RUN TASK`, with `--set NAME=VALUE` for its form, or `windlass reject RUN TASK`."),
    Entry(T.RETRYING, "BackingOff", "The last attempt failed; `retryAt` is when the next one starts.", "Starting.",
          "See the last attempt's message and hint."),
    Entry(T.SUCCEEDED, "Completed", "Its container ended with exit code 0."),
    Entry(T.RUNNING, "WaitingForTime", "It waits for a moment; the message says which.", "Succeeded."),
    Entry(T.RUNNING, "WaitingForRun", "It waits for a run of another Workflow; the message says which.", "Succeeded."),
    Entry(T.RUNNING, "WaitingForObject", "It waits for an object, or for what it is to say.",
          "Succeeded; Failed when `failsWhen` holds."),
    Entry(T.RUNNING, "WaitingForRight", "The cluster refuses what it reads or deletes; the message is the cluster's.",
          "It is tried again.", "Give the task's service account the right that the message names."),
    Entry(T.RETRYING, "NotYet", "The pod that is asked said: not yet (exit code 75).", "It is asked again."),
    Entry(T.SUCCEEDED, "Waited", "What it waited for has come."),
    Entry(T.FAILED, "WaitTimeout", "What it waited for has not come within its `timeout`.", "",
          "See the message; raise `timeout`, or say `onTimeout: Skip`."),
    Entry(T.FAILED, "WaitFailed", "What it waited for will never come: `failsWhen` holds.", "", "Look at the object."),
    Entry(T.FAILED, "WaitInvalid", "What it is to wait for can't be asked; the message says why.", "",
          "Correct what the message names."),
    Entry(T.SKIPPED, "WaitTimeout", "What it waited for has not come, and `onTimeout` says Skip."),
    Entry(T.RUNNING, "ResourceRunning", "The object that it made has not said how it ended; the message names it.",
          "As the object ends.", "`kubectl describe` the object."),
    Entry(T.RUNNING, "Removing", "The object that it deletes is not gone yet; the message names it.", "Succeeded.",
          "`kubectl describe` the object: finalizers may hold it."),
    Entry(T.FAILED, "ResourceInvalid", "Its `resource` can't be made; the message says why.", "",
          "Correct what the message names."),
    Entry(T.RUNNING, "ChildRunning", "The run that it started has not ended; the message names it.", "As it ends.",
          "`windlass status` with that run's name."),
    Entry(T.SUCCEEDED, "Switched", "Its `switch` has chosen the tasks that go on; the message names them."),
    Entry(T.SUCCEEDED, "TakenOver", "The run is of other tasks, and its outputs are those of an earlier run."),
    Entry(T.SUCCEEDED, "Joined", "It has nothing to run: the tasks before it have ended."),
    Entry(T.FAILED, "ChildCycle", "The run to start is of a Workflow that led here, or too deep.",
          "", "Take the task out, or start the other run by a trigger."),
    Entry(T.SUCCEEDED, "Approved", "It was approved; its outputs say by whom, and the values of the form."),
    Entry(T.SUCCEEDED, "ApprovedByDefault", "Nobody answered in time, and `onTimeout` is Approve."),
    Entry(T.SUCCEEDED, "MarkedSuccess", "An action has marked it so; the message says whose."),
    Entry(T.FAILED, "MarkedFailed", "An action has marked it so; the message says whose, and why.", "",
          "`windlass clear RUN TASK` runs it again."),
    Entry(T.FAILED, "Rejected", "It was rejected; the message says by whom, and why.", "",
          "`windlass retry RUN` asks again."),
    Entry(T.FAILED, "ApprovalTimeout", "Nobody answered in time.", "",
          "`windlass retry RUN` asks again."),
    Entry(T.FAILED, "TemplateError", "A template could not be rendered with the values of this run.", "",
          "The message names field and expression; `| default(…)` serves where a value may be absent."),
    Entry(T.FAILED, "ForEachInvalid", "Its `forEach` has no list to go over, or too long a one; the message says "
                                      "what it was given.", "",
          "Correct what the message names: the template, or what the task before puts out."),
    Entry(T.FAILED, "InstancesFailed", "Fewer of its instances have succeeded than `forEach.minSuccess` asks for.", "",
          "The message names those that failed: `windlass logs RUN TASK --index N`."),
    Entry(T.FAILED, "OutputsTooLarge", "Its outputs, or those of the whole run, are too large.", "",
          "Write what is large to the workspace or to object storage, and put its address out."),
    Entry(T.FAILED, "OutputsInvalid", "What it wrote to `$WINDLASS_OUTPUTS` is no JSON object.", "", "See the "
    "message."),
    Entry(T.FAILED, KUBERNETES, "The reason of its last attempt, which no retry followed.", "",
          "See the attempt's message and hint, and the table of failures."),
    Entry(T.UPSTREAM_FAILED, "UpstreamFailed", "A task that it depends on failed; the message names it.", "",
          "Mend that one. To run all the same: another `triggerRule`."),
    Entry(T.UPSTREAM_FAILED, "SetupFailed", "It puts away what another task sets up, and that one failed."),
    Entry(T.UPSTREAM_FAILED, "NoUpstreamSucceeded", "Its rule wants one success, and there is none."),
    Entry(T.SKIPPED, "SkippedByAction", "An action has skipped it; the message says whose."),
    Entry(T.SKIPPED, "WhenFalse", "Its `when` was false, in a `forEach` for each item."),
    Entry(T.SKIPPED, "NoItems", "Its `forEach` has no items."),
    Entry(T.SKIPPED, "NotSelected", "The run is of other tasks."),
    Entry(T.SKIPPED, "TakenOver", "The run is of other tasks, and it was skipped in the earlier run."),
    Entry(T.SKIPPED, "NotChosen", "The `switch` of a task before it has chosen others; the message names it."),
    Entry(T.SKIPPED, "SetupSkipped", "It puts away what another task sets up, and that one was skipped."),
    Entry(T.SKIPPED, "UpstreamSkipped", "A task that it depends on was skipped."),
    Entry(T.SKIPPED, "AllUpstreamSkipped", "All tasks that it depends on were skipped."),
    Entry(T.SKIPPED, "UpstreamNotFailed", "Its rule wants failures only, and a task before it did not fail."),
    Entry(T.SKIPPED, "UpstreamNotSkipped", "Its rule wants skipped tasks only, and a task before it ran."),
    Entry(T.SKIPPED, "NoUpstreamFailed", "Its rule wants a failure, and there is none."),
    Entry(T.SKIPPED, "NoUpstreamRan", "Its rule wants a task that ran, and all were skipped or had failed upstream."),
    Entry(T.CANCELLED, "Cancelled", "The run was stopped before it had ended."),
    Entry(T.CANCELLED, "Terminated", "The run was stopped at once before it had ended."),
    Entry(T.CANCELLED, "TimedOut", "The run's `timeout` passed before it had ended."),
    Entry(T.CANCELLED, "SourceFailed", "The source could not be had, so it never started."),
    Entry(T.CANCELLED, "DefinitionLost", "The definition of the run was lost before it had ended."),
)  # fmt: skip


def entry(phase: RunPhase | TaskPhase, reason: str | None) -> Entry | None:
    """The row of a phase and reason; the row of Kubernetes' own reasons where the phase has one."""
    table = RUNS if isinstance(phase, RunPhase) else TASKS
    rows = {row.reason: row for row in table if row.phase is phase}
    return rows.get(reason or "") or rows.get(KUBERNETES)
