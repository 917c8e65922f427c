"""The table of failures that Windlass knows advice for, in the order in which they are tried."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from windlass.models.run import FailureClass

Detail = Mapping[str, Any]
Advice = str | Callable[[Detail], str]

APP, OOM, TIMEOUT = FailureClass.APP, FailureClass.OOM, FailureClass.TIMEOUT
INFRA, START, LAUNCH = FailureClass.INFRA, FailureClass.START, FailureClass.LAUNCH


@dataclass(frozen=True, slots=True)
class Row:
    """When it fits, and what to do then."""

    what: str
    """The failure in a few words, for the docs."""
    failure: FailureClass
    reasons: tuple[str, ...]
    """Empty: any."""
    advice: Advice
    words: str = ""
    """A pattern that the message must hold, without regard to case."""
    exit_codes: tuple[int, ...] = ()


def _value(detail: Detail, name: str, otherwise: str) -> str:
    found = detail.get(name)
    return str(found) if found not in (None, "") else otherwise


def _of(detail: Detail, name: str) -> str:
    found = detail.get(name)
    return f" of {found}" if found else ""


def _image(detail: Detail) -> str:
    return _value(detail, "image", "the image")


def _image_missing(detail: Detail) -> str:
    return (
        f"{_image(detail)} was not found: check name and tag. A registry also says so of a private image without "
        "credentials: then name a Secret in imagePullSecrets"
    )


def _no_pull_secret(detail: Detail) -> str:
    return (
        f"the registry refused {_image(detail)}: make a Secret (kubectl create secret docker-registry …) in the run's "
        "namespace and name it in imagePullSecrets of the task or of taskDefaults"
    )


def _registry_away(detail: Detail) -> str:
    return f"the registry of {_image(detail)} does not answer: check its host name, and the nodes' way to it"


def _pull(detail: Detail) -> str:
    return f"{_image(detail)} can't be pulled: check its name, its tag and imagePullSecrets"


def _out_of_memory(detail: Detail) -> str:
    limit = detail.get("memoryLimit")
    if limit is None:
        return (
            "it was killed for want of memory without a limit of its own: the node ran out. Set "
            "resources.requests.memory "
            "to what it needs, so that it goes to a node that has it"
        )
    return (
        f"it hit its memory limit of {limit}: raise resources.limits.memory, or set retry.limit and retry.oom "
        "({factor: 1.5, max: …}) to let it grow"
    )


def _permission_denied(detail: Detail) -> str:
    user = _value(detail, "user", "65532")
    return (
        f"the container runs as user {user}, not as root. Does the image want its own user? Set runAsImageUser: true. "
        "Files of the task belong under $HOME (/tmp) or in the workspace"
    )


def _unschedulable_selector(detail: Detail) -> str:
    return "no node has the labels it asks for: compare nodeSelector and affinity with kubectl get nodes --show-labels"


def _exit_by_signal(detail: Detail) -> str:
    code = detail.get("exitCode")
    try:
        name = signal.Signals(int(code or 0) - 128).name
    except ValueError:
        name = "a signal"
    return f"exit code {code} means that the process ended by {name}: see the end of its log (windlass logs)"


def _exit_code(detail: Detail) -> str:
    code = _value(detail, "exitCode", "of its own")
    return (
        f"the task's program ended with exit code {code}: its last lines are in the message, all of them in "
        f"windlass logs. "
        "If trying again can help, set retry.limit; if it can't, name the code in retry.exitCodes.never"
    )


def _too_large(detail: Detail) -> str:
    limit = _value(detail, "limit", "4096")
    return (
        f"outputs may have {limit} bytes here (4096, less with more than three containers in the pod): write what "
        f"is large "
        "to the workspace or to object storage, and put its address out"
    )


_MISSING_KEY: Final = (
    "the ConfigMap or Secret named in the message, or the key in it, is missing in the run's namespace: create it, "
    "or correct "
    "name and key in env, envFrom or volumes (optional: true lets the pod start without it)"
)
_NOT_RECORDED: Final = (
    "the message is what is known of it. Look at the pod (kubectl describe pod) and at its Events while it is kept "
    "(keepPods)"
)

ROWS: Final[Sequence[Row]] = (
    # Images
    Row("no such image", START, ("ErrImagePull", "ImagePullBackOff"), _no_pull_secret,
        r"unauthorized|authentication required|401|403|no basic auth|denied: requested access|forbidden"),
    Row("no such image", START, ("ErrImagePull", "ImagePullBackOff"), _image_missing,
        r"not found|manifest unknown|does not exist|NotFound|pull access denied"),
    Row("the registry does not "
        "answer", START, ("ErrImagePull", "ImagePullBackOff", "RegistryUnavailable"), _registry_away,
        r"no such host|i/o timeout|connection refused|deadline exceeded|TLS|x509|lookup|unreachable"),
    Row("the image is for another processor", START, ("ErrImagePull", "ImagePullBackOff"),
        lambda d: f"{_image(d)} has no variant for the node's processor: build it for that, or choose nodes with "
                  f"nodeSelector "
                  "kubernetes.io/arch", r"no match for platform"),
    Row("the registry limits pulls", START, ("ErrImagePull", "ImagePullBackOff"),
        "the registry limits how often you pull: log in by imagePullSecrets, or use a "
        "mirror", r"toomanyrequests|rate limit|429"),
    Row("the image can't be pulled", START, ("ErrImagePull", "ImagePullBackOff"), _pull),
    Row("the image's name is wrong", START, ("InvalidImageName", "ErrImageInspect"),
        lambda d: f"{_image(d)} is no valid name of an image: it is [registry/]name[:tag], in lower case"),
    Row("the image is not on the node", START, ("ErrImageNeverPull",),
        lambda d: f"{_image(d)} is not on the node, and imagePullPolicy Never forbids to pull it: load it, or use "
                  f"IfNotPresent"),
    # Configuration
    Row("the image runs as root", START, ("CreateContainerConfigError",),
        "the image runs as root, or names no user, and runAsNonRoot forbids that: leave runAsImageUser out, or set "
        "securityContext.runAsUser, or use an image with a user of its own", r"run as root|runAsNonRoot|non-numeric "
        r"user"),
    Row("a Secret, a ConfigMap or a key is missing", START, ("CreateContainerConfigError",), _MISSING_KEY),
    Row("a volume can't be mounted", START, ("ContainerCreating", "PodInitializing"),
        "volumes or network are not ready: is a Secret, a ConfigMap or a claim that the pod mounts missing? kubectl "
        "describe pod "
        "shows the Events"),
    Row("the command was not "
        "found", START, ("StartError", "ContainerCannotRun", "RunContainerError", "CreateContainerError"),
        lambda d: f"the command is not in {_image(d)}: check the spelling, the PATH, or take an image that has it",
        r"executable file not found|no such file or directory|not found in \$PATH"),
    Row("the command may not be "
        "run", START, ("StartError", "ContainerCannotRun", "RunContainerError", "CreateContainerError"),
        "the command is a file that can't be executed: chmod +x it, or call its interpreter (command: [python, "
        "file.py])",
        r"permission denied"),
    Row("the program is for another processor", START, ("StartError", "ContainerCannotRun", "RunContainerError"),
        lambda d: f"the program in {_image(d)} is for another processor than the node's, or a script without #!: "
                  f"build the image "
                  "for the node's architecture, or set nodeSelector kubernetes.io/arch", r"exec format error"),
    Row("the working directory is missing", START, ("StartError", "ContainerCannotRun", "CreateContainerError"),
        "the working directory can't be used: check workingDir, and `path` of the source", r"chdir|working directory"),
    Row("the container can't be "
        "started", START, ("StartError", "ContainerCannotRun", "RunContainerError", "CreateContainerError"),
        "the container can't be started as it is described: check command, workingDir, volumeMounts and "
        "securityContext"),
    Row("a sidecar crashes", START, ("CrashLoopBackOff",),
        "a sidecar ends again and again before the task has started: kubectl logs POD -c NAME --previous shows why"),
    # Scheduling
    Row("not enough CPU or memory", START, ("Unschedulable", "StartTimeout"),
        "no node has as much free as the task requests: lower resources.requests, add nodes, or wait (startTimeout)",
        r"insufficient (cpu|memory|ephemeral-storage|pods|nvidia|[\w./-]+)|too many pods"),
    Row("no node has the labels", START, ("Unschedulable", "StartTimeout"), _unschedulable_selector,
        r"node affinity|node selector|affinity/selector"),
    Row("all nodes are tainted", START, ("Unschedulable", "StartTimeout"),
        "the nodes' taints keep it away: add tolerations, or remove the taint", r"taint"),
    Row("a volume can't be had", START, ("Unschedulable", "StartTimeout"),
        "its volume can't be had where the pod may run: check the claim (kubectl describe pvc), storageClassName "
        "and access modes",
        r"volume|persistentvolumeclaim"),
    Row("no node fits", START, ("Unschedulable",),
        "no node takes the pod: the message says why for each group of nodes"),
    Row("a gate holds the pod", START, ("SchedulingGated",),
        "something outside of Windlass holds the pod by a scheduling gate: ask the cluster's admins"),
    Row("it did not start in time", START, ("StartTimeout",),
        "the pod did not start within startTimeout: kubectl describe pod shows why; large images may need a longer "
        "startTimeout"),
    # Memory, time
    Row("out of memory", OOM, (), _out_of_memory),
    Row("too slow", TIMEOUT, (),
        lambda d: f"it ran longer than its timeout{_of(d, 'timeout')}: raise timeout, or let it do less at once; "
                  f"its log shows how "
                  "far it came"),
    # Infrastructure
    Row("evicted for the disk", INFRA, ("Evicted",),
        "it used more disk than it may, or than the node has: write to the workspace, or set resources.requests and "
        "limits of "
        "ephemeral-storage", r"ephemeral|disk|emptydir|inode"),
    Row("evicted for memory", INFRA, ("Evicted",),
        "the node ran out of memory and this pod used more than it requested: set resources.requests.memory to what "
        "it needs",
        r"memory"),
    Row("evicted", INFRA, ("Evicted",),
        "the node or its admin put the pod out; it is tried again on its own (retry.infraLimit)"),
    Row("preempted", INFRA, ("Preempted",),
        "a pod of higher priority took its place; it is tried again. A priorityClassName of its own protects it"),
    Row("the node was lost", INFRA, ("NodeLost",),
        lambda d: f"node {_value(d, 'node', 'of the pod')} does not answer; the task is tried elsewhere. The old "
                  f"process may "
                  "still run: what it writes should bear to be written twice"),
    Row("the node was shut down", INFRA, ("NodeShutdown",),
        "its node was shut down; it is tried again elsewhere. On spot nodes keep tasks short, or make them resume"),
    Row("the node rejected the pod", INFRA, ("NodeRejected",),
        "the node that was chosen had no room any more; it is tried again"),
    Row("the pod was deleted", INFRA, ("Deleted", "Gone"),
        "someone deleted the pod (kubectl delete, a drained node, a job that cleans up); it is tried again. To stop "
        "a task, cancel "
        "its run: windlass cancel"),
    Row("what a task made was deleted", INFRA, ("ResourceGone", "ChildGone"),
        "someone deleted what the task had made; it is made again. To stop a task, cancel its run: windlass cancel"),
    Row("a failure of the infrastructure", INFRA, (), f"it is tried again on its own (retry.infraLimit); "
        f"{_NOT_RECORDED}"),
    # Refused by the API
    Row("refused by the admin's policy", LAUNCH, (),
        "the admin of this installation does not allow it: take what the message names out of the task or of "
        "podTemplate, or ask the admin to have the named rule allow it (policy.pods of the chart)",
        r"the admin's policy \""),
    Row("refused by Pod Security", LAUNCH, (),
        "the namespace enforces a Pod Security Standard that this pod breaks: remove what the message names from "
        "securityContext, volumes or podTemplate, or ask the admin for another level", r"podsecurity"),
    Row("no service account", LAUNCH, (),
        "the service account is missing in the run's namespace: create it, or correct serviceAccountName",
        r"serviceaccount.*not found|service account .* not found"),
    Row("no priority class", LAUNCH, (), "there is no PriorityClass of this name: correct priorityClassName",
        r"priorityclass|no PriorityClass"),
    Row("a misspelt field", LAUNCH, (),
        "a field of the pod is unknown to the cluster: correct its spelling in the task or in podTemplate",
        r"unknown field|strict decoding"),
    Row("above what one pod may have", LAUNCH, (), "a LimitRange of the namespace bounds resources: keep within it",
        r"maximum (cpu|memory)|minimum (cpu|memory)|limitrange|per (container|pod) is"),
    Row("its namespace goes", LAUNCH, (), "the namespace is being deleted, and with it this run",
        r"because it is being terminated"),
    Row("refused by a policy", LAUNCH, ("Forbidden",),
        "an admission policy of the cluster refuses the pod: the message says which; ask the admin"),
    Row("a pod or a run of that name", LAUNCH, ("NameTaken",),
        "a pod or a run that is not of this one has the name that was wanted: delete it, and run again",
        r"is not of this run"),
    Row("an object of that name", LAUNCH, ("NameTaken",),
        "delete it, or put {{ run.name }} into resource.manifest.metadata.name; make: Apply takes what is there"),
    Row("an object of no known kind", LAUNCH, ("NoSuchKind",),
        "correct apiVersion and kind of resource.manifest, or have the CustomResourceDefinition installed"),
    Row("an object that can't be made", LAUNCH, ("ResourceInvalid",),
        "correct resource.manifest: the message says what is wrong with it"),
    Row("a template failed", LAUNCH, ("TemplateError",),
        "a template can't be rendered with the values of this run: the message names field, expression and what is "
        "missing. "
        "`| default(…)` serves where a value may be absent; windlass lint finds misspelt names"),
    Row("a forEach over no list", LAUNCH, ("ForEachInvalid",),
        "forEach goes over a list of at most 5,000 items: the message says what it was given. A text that holds JSON "
        "becomes a list by `| fromjson`"),
    Row("the pod is not valid", LAUNCH, (),
        "the API server finds the pod wrong: the message names the field; correct it in the task or in podTemplate"),
    # The task's own
    Row("outputs that are no JSON object", APP, ("OutputsInvalid",),
        "write exactly one JSON object to the file $WINDLASS_OUTPUTS, in place: echo '{\"rows\": 3}' > "
        "\"$WINDLASS_OUTPUTS\""),
    Row("outputs that are too large", APP, ("OutputsTooLarge",), _too_large),
    Row("a run as a task failed", APP, ("ChildFailed", "ChildCancelled", "ChildRefused"),
        "look at the run that the message names: windlass status RUN. Once mended, windlass retry starts another"),
    Row("an object as a task failed", APP, ("ResourceFailed",),
        "its own controller says so: the message is what is known; kubectl describe and that controller tell more"),
    Row("git has no such ref", APP, ("GitSyncFailed", "SourceFailed"),
        "the repository has no such branch, tag or full commit: check source.git.ref (short commits are not found)",
        r"couldn't find remote ref|not our ref|unknown revision|did not match any|reference is not a tree"),
    Row("git's credentials", APP, ("GitSyncFailed", "SourceFailed"),
        "the repository refuses: name a Secret in source.git.secretName with `username` and `password` (a token), "
        "or `ssh-privatekey` and `known_hosts`",
        r"authentication failed|could not read username|permission denied|access denied|invalid credentials|403|401"),
    Row("git's host key", APP, ("GitSyncFailed", "SourceFailed"),
        "the host's key is not known: put `known_hosts` (ssh-keyscan HOST) into the Secret of source.git.secretName",
        r"host key verification failed"),
    Row("git finds no repository", APP, ("GitSyncFailed", "SourceFailed"),
        "there is no such repository, or it may not be seen without credentials: check source.git.repo and "
        "source.git.secretName",
        r"not found|does not appear to be a git repository|does not exist"),
    Row("git can't reach the host", APP, ("GitSyncFailed", "SourceFailed"),
        "the git host can't be reached from the cluster: check source.git.repo, DNS and network policies",
        r"could not resolve host|unable to access|timed out|connection refused|network is unreachable"),
    Row("git failed", APP, ("GitSyncFailed", "SourceFailed"), "check source.git: the message is what git says"),
    Row("an init container failed", APP, ("InitContainerFailed",),
        lambda d: f"the init container {_value(d, 'container', '')} failed before the task began: kubectl logs POD -c "
                  f"{_value(d, 'container', 'NAME')}"),
    Row("a read-only file system", APP, (),
        "it wrote where it can't: write to $HOME (/tmp) or to the workspace, or set "
        "securityContext.readOnlyRootFilesystem: false", r"read-only file system"),
    Row("it wants root", APP, (), _permission_denied,
        r"permission denied|operation not permitted|are you root|must be (run as )?root|EACCES|EPERM"),
    Row("no space left", APP, (),
        "the disk is full: enlarge workspace.size, or request ephemeral-storage", r"no space left on device|ENOSPC"),
    Row("a name that does not resolve", APP, (),
        "a host name was not found: check its spelling, and for services of another namespace write name.namespace; "
        "network "
        "policies may keep the pod from DNS",
        r"name or service not known|temporary failure in name resolution|could not resolve|no such host|getaddrinfo"),
    Row("a Python module is missing", APP, (),
        lambda d: f"{_image(d)} lacks a Python module: take an image that has it, or install it there",
        r"ModuleNotFoundError|No module named"),
    Row("a program for another processor", APP, (),
        "a program is for another processor than the node's: build the image for it, or set nodeSelector "
        "kubernetes.io/arch",
        r"exec format error"),
    Row("the command was not found", APP, (),
        lambda d: f"exit code 127: a command was not found in {_image(d)}. Check its spelling, or take an image "
                  f"that has it",
        exit_codes=(127,)),
    Row("the command may not be run", APP, (),
        "exit code 126: a command was found and can't be executed: chmod +x it, or call its "
        "interpreter", exit_codes=(126,)),
    Row("killed by SIGKILL", APP, (),
        "exit code 137: the process was killed, and not by its memory limit as a whole. A child process may have "
        "hit it, or "
        "someone killed it: see its log, and raise resources.limits.memory if it grows", exit_codes=(137,)),
    Row("ended by a signal", APP, (), _exit_by_signal, exit_codes=tuple(range(129, 160))),
    Row("a non-zero exit code", APP, (), _exit_code),
    Row("it could not be started", START, (), _NOT_RECORDED),
)  # fmt: skip
"""The order counts: what is more special comes first."""
