"""An object that is refused, and what is said of it."""

from __future__ import annotations

from dataclasses import dataclass

from support.objects import Manifest


@dataclass(frozen=True)
class Bad:
    """An object that is refused. `says` is in what we find at `at`; `server` in what the API server answers."""

    manifest: Manifest
    at: str
    says: str
    server: str = ""
    """`says`, when it is empty: the message of a rule."""

    @property
    def server_says(self) -> str:
        return self.server or self.says
