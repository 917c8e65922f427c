"""What is wrong with an object: one shape for the schema's checks, the planner's admission and `windlass lint`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum

Path = tuple[str | int, ...]
"""Where in an object: the keys and list places from its root, as in `("spec", "tasks", 3, "dependsOn", 0)`."""


class Severity(StrEnum):
    """How bad a finding is."""

    ERROR = "Error"
    """The object can't be used."""
    WARNING = "Warning"
    """It works, but perhaps not as its author thinks."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: where, what, and how to mend it."""

    path: Path
    message: str
    fix: str = ""
    """What to do about it, as an order: `did you mean "dependsOn"?`. Empty where the message says it all."""
    severity: Severity = Severity.ERROR

    @property
    def where(self) -> str:
        """The path as people write it: `spec.tasks[3].dependsOn[0]`."""
        return format_path(self.path)

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.path else self.message
        return f"{text}; {self.fix}" if self.fix else text


def format_path(path: Sequence[str | int]) -> str:
    """A path as people write it: `spec.tasks[3].env[0]`, `spec.params["a b"]`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif part.replace("_", "").replace("-", "").isalnum():
            text += f".{part}" if text else part
        else:
            text += f'["{part}"]'
    return text


def suggestion(word: str, known: Iterable[str]) -> str:
    """`did you mean "…"?` when one of `known` is close to `word`, else nothing."""
    by_fold = {name.lower(): name for name in known}
    close = get_close_matches(word.lower(), by_fold, n=1, cutoff=0.6)
    return f'did you mean "{by_fold[close[0]]}"?' if close else ""


def errors(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Those of the findings that forbid the object's use."""
    return tuple(found for found in findings if found.severity is Severity.ERROR)


def summary(findings: Sequence[Finding], limit: int = 1024) -> str:
    """All findings in one text of at most `limit` characters, which says how many it could not name."""
    text = ""
    for number, found in enumerate(findings):
        more = f"{text}; {found}" if text else str(found)
        left = len(findings) - number - 1
        if len(more) + (len(f"; and {left} more") if left else 0) > limit:
            return (f"{text}; and {left + 1} more" if text else str(found))[:limit]
        text = more
    return text
