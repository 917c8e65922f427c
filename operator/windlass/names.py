"""Names that Windlass gives: of its API, of labels and annotations, and of the objects that it derives.

Every name of an object is a function of what the object stands for, so that two controllers, or one before and
after a crash, choose the same.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Final

GROUP: Final = "windlass.dev"
VERSION: Final = "v1alpha1"
API_VERSION: Final = f"{GROUP}/{VERSION}"

LABEL_WORKFLOW: Final = f"{GROUP}/workflow"
LABEL_RUN: Final = f"{GROUP}/run"
LABEL_RUN_UID: Final = f"{GROUP}/run-uid"
LABEL_TASK: Final = f"{GROUP}/task"
LABEL_ATTEMPT: Final = f"{GROUP}/attempt"
LABEL_INDEX: Final = f"{GROUP}/index"
"""Of an instance of a forEach, from 0."""
LABEL_POOL: Final = f"{GROUP}/pool"
LABEL_SLOTS: Final = f"{GROUP}/slots"
"""How many slots of the Pool its pod takes."""
LABEL_TRIGGER: Final = f"{GROUP}/trigger"
"""What made a run: schedule, backfill or workflow."""
LABEL_BACKFILL: Final = f"{GROUP}/backfill"
ANNOTATION_LEADER: Final = f"{GROUP}/leader"
"""Which controller process made the pod."""
ANNOTATION_TERM: Final = f"{GROUP}/term"
"""In which of the leaders' terms: the Lease's `leaseTransitions`."""
LABEL_NAME: Final = "app.kubernetes.io/name"
LABEL_INSTANCE: Final = "app.kubernetes.io/instance"
LABEL_COMPONENT: Final = "app.kubernetes.io/component"
LABEL_PART_OF: Final = "app.kubernetes.io/part-of"
LABEL_MANAGED_BY: Final = "app.kubernetes.io/managed-by"
MANAGED_BY: Final = "windlass"
RESULT_FINALIZER: Final = f"{GROUP}/result"

MAIN_CONTAINER: Final = "main"
SOURCE_CONTAINER: Final = "git-sync"
SOURCE_STEP: Final = "windlass-source"
"""The step that resolves `source.git.ref`; users' task names can't begin with `windlass-`."""

MAX_WORKFLOW_NAME: Final = 49
MAX_NAME: Final = 63


def short_hash(*parts: str) -> str:
    """Ten characters of base 16 that stand for `parts`, in their order."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:10]


def shortened(prefix: str, digest: str, limit: int = MAX_NAME) -> str:
    """`prefix-digest`, with the prefix cut so that the whole has at most `limit` characters."""
    return f"{prefix[: limit - len(digest) - 1].rstrip('-.')}-{digest}"


def slot_run_name(workflow: str, slot: datetime) -> str:
    """The name of the run of a slot, in UTC: `sales-20250401t1700`, or `sales-250401t170007` off the full minute."""
    moment = slot.astimezone(UTC)
    return f"{workflow}-{moment:%y%m%dt%H%M%S}" if moment.second else f"{workflow}-{moment:%Y%m%dt%H%M}"


def following_run_name(workflow: str, uid: str, number: int) -> str:
    """The name of the run that a Workflow with this UID makes as the `number`th (from 1) that follows others: whatever
    it follows, so that a number is used once."""
    return f"{workflow}-{number}-{short_hash(uid)[:4]}"


def following_number(run: str) -> int:
    """The number in such a name; 0 where there is none."""
    parts = run.rsplit("-", 2)
    return int(parts[1]) if len(parts) == 3 and parts[1].isdecimal() else 0


def pod_name(run: str, run_uid: str, task: str, attempt: int, index: int | None = None) -> str:
    """The name of the pod of one attempt (from 1) of a task, or of its instance `index` (from 0): readable, and
    different for a run made again."""
    readable = f"{run}-{task}".replace(".", "-")
    instance = "" if index is None else f"-{index}"
    return shortened(readable, f"{short_hash(run_uid, task)[:8]}{instance}-{attempt}")


def child_run_name(run: str, run_uid: str, task: str, attempt: int) -> str:
    """The name of the run that one attempt (from 1) of a task starts."""
    return shortened(f"{run}-{task}", f"{short_hash(run_uid, task, 'run')[:8]}-{attempt}")


def object_name(run: str, run_uid: str, task: str, attempt: int) -> str:
    """The name of the object that one attempt (from 1) of a task makes, where its author gives it none."""
    return shortened(f"{run}-{task}".replace(".", "-"), f"{short_hash(run_uid, task, 'object')[:8]}-{attempt}")


def workspace_claim_name(run: str, run_uid: str) -> str:
    """The name of the PersistentVolumeClaim of a run's workspace."""
    return shortened(f"{run}-workspace".replace(".", "-"), short_hash(run_uid, "workspace"))


def revision_name(workflow: str, digest: str) -> str:
    """The name of the ControllerRevision that holds a definition with this digest."""
    return f"{workflow}-{digest}"
