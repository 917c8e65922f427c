"""What well-known kinds say in their status, as their own controllers write it, and what is made of it."""

from __future__ import annotations

from typing import Any

import pytest

from windlass.plan.known_kinds import KINDS, ends_of
from windlass.plan.sights import holds

Status = dict[str, Any]
WELL, BADLY, NOT_YET = "well", "badly", "not yet"


def said(*conditions: tuple[str, str], **more: Any) -> Status:
    return {"conditions": [{"type": kind, "status": status} for kind, status in conditions], **more}


JOB = ("batch/v1", "Job")
POD = ("v1", "Pod")
SPARK = ("sparkoperator.k8s.io/v1beta2", "SparkApplication")
RAY = ("ray.io/v1", "RayJob")
TORCH = ("kubeflow.org/v1", "PyTorchJob")
TRAIN = ("trainer.kubeflow.org/v1alpha1", "TrainJob")
EMR = ("emrcontainers.services.k8s.aws/v1alpha1", "JobRun")
BUCKET = ("s3.services.k8s.aws/v1alpha1", "Bucket")
TOPIC = ("pubsub.cnrm.cloud.google.com/v1beta1", "PubSubTopic")
KNATIVE = ("serving.knative.dev/v1", "Service")
ARGO = ("argoproj.io/v1alpha1", "Workflow")


def spark(state: str) -> Status:
    return {"applicationState": {"state": state}, "sparkApplicationId": "spark-1"}


CASES: dict[str, tuple[tuple[str, str], Status | None, str]] = {
    "a Job that is new": (JOB, None, NOT_YET),
    "a Job that runs": (JOB, {"active": 1, "ready": 1}, NOT_YET),
    "a Job that is suspended": (JOB, said(("Suspended", "True")), NOT_YET),
    "a Job that has met its criteria": (JOB, said(("SuccessCriteriaMet", "True"), active=1), NOT_YET),
    "a Job that is complete": (JOB, said(("SuccessCriteriaMet", "True"), ("Complete", "True"), succeeded=1), WELL),
    "a Job that is going to fail": (JOB, said(("FailureTarget", "True")), NOT_YET),
    "a Job that failed": (JOB, said(("FailureTarget", "True"), ("Failed", "True"), failed=1), BADLY),
    "a Job that is told to be not failed": (JOB, said(("Failed", "False")), NOT_YET),
    "a Pod that runs": (POD, {"phase": "Running"}, NOT_YET),
    "a Pod that succeeded": (POD, {"phase": "Succeeded"}, WELL),
    "a Pod that failed": (POD, {"phase": "Failed"}, BADLY),
    "a Pod of a node that is lost": (POD, {"phase": "Unknown"}, NOT_YET),
    "Spark, new": (SPARK, spark(""), NOT_YET),
    "Spark, submitted": (SPARK, spark("SUBMITTED"), NOT_YET),
    "Spark, at work": (SPARK, spark("RUNNING"), NOT_YET),
    "Spark, about to complete": (SPARK, spark("SUCCEEDING"), NOT_YET),
    "Spark, complete": (SPARK, spark("COMPLETED"), WELL),
    "Spark, to be run again": (SPARK, spark("PENDING_RERUN"), NOT_YET),
    "Spark, failed": (SPARK, spark("FAILED"), BADLY),
    "Spark, not submitted": (SPARK, spark("SUBMISSION_FAILED"), BADLY),
    "Ray, initializing": (RAY, {"jobDeploymentStatus": "Initializing", "jobStatus": ""}, NOT_YET),
    "Ray, pending": (RAY, {"jobDeploymentStatus": "Running", "jobStatus": "PENDING"}, NOT_YET),
    "Ray, at work": (RAY, {"jobDeploymentStatus": "Running", "jobStatus": "RUNNING"}, NOT_YET),
    "Ray, done": (RAY, {"jobDeploymentStatus": "Complete", "jobStatus": "SUCCEEDED"}, WELL),
    "Ray, failed": (RAY, {"jobDeploymentStatus": "Failed", "jobStatus": "FAILED", "reason": "AppFailed"}, BADLY),
    "Ray, stopped": (RAY, {"jobDeploymentStatus": "Complete", "jobStatus": "STOPPED"}, BADLY),
    "PyTorch, created": (TORCH, said(("Created", "True"), ("Running", "True")), NOT_YET),
    "PyTorch, restarting": (TORCH, said(("Created", "True"), ("Restarting", "True"), ("Running", "False")), NOT_YET),
    "PyTorch, done": (TORCH, said(("Running", "False"), ("Succeeded", "True")), WELL),
    "PyTorch, failed": (TORCH, said(("Running", "False"), ("Failed", "True")), BADLY),
    "a TrainJob, created": (TRAIN, said(("Created", "True")), NOT_YET),
    "a TrainJob, complete": (TRAIN, said(("Complete", "True")), WELL),
    "a TrainJob, failed": (TRAIN, said(("Failed", "True")), BADLY),
    "EMR on EKS, accepted": (
        EMR,
        {"id": "0001", "state": "SUBMITTED"} | said(("ACK.ResourceSynced", "False")),
        NOT_YET,
    ),
    "EMR on EKS, synced and at work": (EMR, said(("ACK.ResourceSynced", "True"), state="RUNNING"), NOT_YET),
    "EMR on EKS, done": (EMR, said(("ACK.ResourceSynced", "True"), state="COMPLETED"), WELL),
    "EMR on EKS, failed": (EMR, said(("ACK.ResourceSynced", "True"), state="FAILED"), BADLY),
    "EMR on EKS, cancelled": (EMR, said(("ACK.ResourceSynced", "True"), state="CANCELLED"), BADLY),
    "another kind of ACK, on its way": (BUCKET, said(("ACK.ResourceSynced", "False")), NOT_YET),
    "another kind of ACK, there": (BUCKET, said(("ACK.ResourceSynced", "True")), WELL),
    "another kind of ACK, never": (BUCKET, said(("ACK.ResourceSynced", "False"), ("ACK.Terminal", "True")), BADLY),
    "Config Connector, on its way": (TOPIC, said(("Ready", "False")), NOT_YET),
    "Config Connector, there": (TOPIC, said(("Ready", "True")), WELL),
    "Knative, unknown": (KNATIVE, said(("ConfigurationsReady", "True"), ("Ready", "Unknown")), NOT_YET),
    "Knative, ready": (KNATIVE, said(("ConfigurationsReady", "True"), ("Ready", "True")), WELL),
    "Argo, at work": (ARGO, {"phase": "Running"}, NOT_YET),
    "Argo, done": (ARGO, {"phase": "Succeeded"}, WELL),
    "Argo, in error": (ARGO, {"phase": "Error"}, BADLY),
}


@pytest.mark.parametrize(("kind", "status", "expected"), CASES.values(), ids=CASES.keys())
def test_what_a_status_means(kind: tuple[str, str], status: Status | None, expected: str) -> None:
    ends = ends_of(*kind)
    obj = {"metadata": {"name": "x"}} | ({} if status is None else {"status": status})
    good = any(holds(test, obj) for test in ends.success)
    bad = any(holds(test, obj) for test in ends.failure)
    assert (good, bad) == (expected == WELL, expected == BADLY)


def test_each_kind_is_in_the_table() -> None:
    told = {(version.rpartition("/")[0], kind) for version, kind in (case[0] for case in CASES.values())}
    alike = {("kubeflow.org", kind) for kind in ("TFJob", "MPIJob", "XGBoostJob")}
    assert KINDS.keys() - told == alike
    assert all(KINDS[one] == KINDS["kubeflow.org", "PyTorchJob"] for one in alike)


UNKNOWN = {"another kind": ("example.com/v1", "Job"), "the core API": ("v1", "ConfigMap"), "alike": ("batch/v1", "job")}


@pytest.mark.parametrize("kind", UNKNOWN.values(), ids=UNKNOWN.keys())
def test_nothing_is_known_of_others(kind: tuple[str, str]) -> None:
    assert (ends_of(*kind).success, ends_of(*kind).failure) == ((), ())
