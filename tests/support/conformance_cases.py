"""The conversations of the conformance table, by name."""

from __future__ import annotations

from support.conformance import Ask
from support.conformance_kinds import KINDS
from support.conformance_lists import LISTS
from support.conformance_objects import OBJECTS
from support.conformance_pods import PODS
from support.conformance_widgets import CUSTOM

CASES: dict[str, list[Ask]] = {**OBJECTS, **PODS, **LISTS, **CUSTOM, **KINDS}
