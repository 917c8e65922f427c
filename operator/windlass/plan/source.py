"""The first step of a run with a source: it resolves the ref to the commit that all of the run's pods check out."""

from __future__ import annotations

from windlass.models.run import SourceStatus, TaskPhase, TaskStatus
from windlass.names import SOURCE_STEP
from windlass.plan.draft import Draft, Stopping
from windlass.plan.stopping import SOURCE_FAILED
from windlass.plan.tasks import advance


def advance_source(draft: Draft) -> None:
    """Bring the source step as far as it goes; its failure stops the run, `finally` included."""
    program = draft.seen.program
    if program.source_step is None or program.spec.source is None:
        return
    git = program.spec.source.git
    before = draft.source or SourceStatus(repo=git.repo, ref=git.ref, step=TaskStatus(name=SOURCE_STEP))
    draft.source = before
    step = before.step or TaskStatus(name=SOURCE_STEP)
    after = advance(draft, program.source_step, step)
    if after is not step:
        commit = (after.outputs or {}).get("commit") if after.phase is TaskPhase.SUCCEEDED else before.commit
        draft.source = before.model_copy(update={"step": after, "commit": commit})
    if after.phase.ended and after.phase is not TaskPhase.SUCCEEDED:
        draft.stopping = draft.stopping or Stopping(SOURCE_FAILED, draft.now)
        draft.stopping_finals = draft.stopping
