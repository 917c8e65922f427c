"""Conditions, as all kinds of Kubernetes have them."""

from __future__ import annotations

from typing import Literal

from windlass.models.common import Model, Timestamp


class Condition(Model):
    """A metav1.Condition."""

    type: str
    """What it is about. Of a run: Accepted, Running, Succeeded, DeadlineMissed; of the others: Ready."""
    status: Literal["True", "False", "Unknown"]
    """Whether it holds."""
    reason: str
    """Why, in a word."""
    message: str = ""
    """The same in a sentence."""
    last_transition_time: Timestamp
    """When `status` last changed."""
    observed_generation: int | None = None
    """The generation of the object that it was judged by."""
