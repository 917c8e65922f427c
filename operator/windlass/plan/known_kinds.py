"""What well-known kinds say when they are done: the defaults of a task that makes one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from windlass.models.wait import ObjectTest


@dataclass(frozen=True, slots=True)
class Ends:
    """How an object of a kind says that it has ended well, or not. Neither: it is enough that it was made."""

    success: Sequence[ObjectTest] = ()
    failure: Sequence[ObjectTest] = ()


def _states(path: str, success: Sequence[str], failure: Sequence[str]) -> Ends:
    return Ends(
        tuple(ObjectTest(json_path=path, equals=state) for state in success),
        tuple(ObjectTest(json_path=path, equals=state) for state in failure),
    )


def _conditions(success: str, failure: str) -> Ends:
    return Ends((ObjectTest(condition=success),), (ObjectTest(condition=failure),))


_READY: Final = Ends((ObjectTest(condition="Ready"),))
_TRAINING: Final = _conditions("Succeeded", "Failed")

KINDS: Final[Mapping[tuple[str, str], Ends]] = {
    ("batch", "Job"): _conditions("Complete", "Failed"),
    ("", "Pod"): _states("{.status.phase}", ["Succeeded"], ["Failed"]),
    ("sparkoperator.k8s.io", "SparkApplication"): _states(
        "{.status.applicationState.state}", ["COMPLETED"], ["FAILED", "SUBMISSION_FAILED", "FAILING"]
    ),
    ("ray.io", "RayJob"): _states("{.status.jobStatus}", ["SUCCEEDED"], ["FAILED", "STOPPED"]),
    ("kubeflow.org", "PyTorchJob"): _TRAINING,
    ("kubeflow.org", "TFJob"): _TRAINING,
    ("kubeflow.org", "MPIJob"): _TRAINING,
    ("kubeflow.org", "XGBoostJob"): _TRAINING,
    ("trainer.kubeflow.org", "TrainJob"): _conditions("Complete", "Failed"),
    ("emrcontainers.services.k8s.aws", "JobRun"): _states("{.status.state}", ["COMPLETED"], ["FAILED", "CANCELLED"]),
    ("serving.knative.dev", "Service"): _READY,
    ("argoproj.io", "Workflow"): _states("{.status.phase}", ["Succeeded"], ["Failed", "Error"]),
}
"""By API group and kind."""
_SYNCED: Final = Ends((ObjectTest(condition="ACK.ResourceSynced"),), (ObjectTest(condition="ACK.Terminal"),))
_CONFIG_CONNECTOR: Final = ".cnrm.cloud.google.com"
_ACK: Final = ".services.k8s.aws"


def ends_of(api_version: str, kind: str) -> Ends:
    """The ends of a kind; empty ones where nothing is known of it."""
    group = api_version.rpartition("/")[0]
    known = KINDS.get((group, kind))
    if known is not None:
        return known
    if group.endswith(_ACK):
        return _SYNCED
    return _READY if group.endswith(_CONFIG_CONNECTOR) else Ends()
