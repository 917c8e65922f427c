"""What a restart finds again: one file of JSON lines, a snapshot at its head and every write behind it.

A line is written before its write is answered, so a killed process loses nothing; a line cut short by the death of the
machine is the last one and is dropped. The file is written anew at each start and when it has grown long, and
replaced in one step.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import orjson

from windlass.dev.api.catalog import StorageKey
from windlass.dev.api.hub import Stored

_LONG = 64 * 1024 * 1024


class Journal:
    """The file of one development cluster."""

    def __init__(self, path: Path) -> None:
        self.last_version = 0
        """The version of the last write that was read."""
        self._path = path
        self._size = 0
        self._size_at_start = 0
        self._descriptor: int | None = None

    def read(self) -> Iterator[tuple[str, StorageKey, Stored]]:
        """Every change that the file tells, in order."""
        if not self._path.exists():
            return
        with self._path.open("rb") as lines:
            for line in lines:
                try:
                    entry = orjson.loads(line)
                except orjson.JSONDecodeError:
                    return
                self.last_version = max(self.last_version, entry["v"])
                if "o" not in entry:
                    continue
                body = entry["o"]
                group, plural = entry["k"]
                yield (
                    entry["t"],
                    (group, plural),
                    Stored(body, orjson.dumps(body), int(body["metadata"]["resourceVersion"])),
                )

    def open(self, objects: Iterable[tuple[StorageKey, Stored]]) -> None:
        """Begin a file with these objects, and keep it open for what follows."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".new")
        with fresh.open("wb") as file:
            file.write(orjson.dumps({"v": self.last_version}) + b"\n")
            file.writelines(_line("ADDED", storage, stored) for storage, stored in objects)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)
        self.close()
        self._descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND)
        self._size = self._size_at_start = self._path.stat().st_size

    @property
    def is_long(self) -> bool:
        """Is most of the file about versions that are gone?"""
        return self._size > _LONG and self._size > 4 * self._size_at_start

    def write(self, change: str, storage: StorageKey, stored: Stored) -> None:
        self.last_version = stored.version
        if self._descriptor is not None:
            line = _line(change, storage, stored)
            os.write(self._descriptor, line)
            self._size += len(line)

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _line(change: str, storage: StorageKey, stored: Stored) -> bytes:
    group, plural = storage
    head = f'{{"v":{stored.version},"t":"{change}","k":["{group}","{plural}"],"o":'
    return head.encode() + stored.raw + b"}\n"
