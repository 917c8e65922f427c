"""The log of one container: kept on disk, cut to a limit, read while it grows.

    <name>.<generation>      record, record …   record: "<nanoseconds> <length>\\n" and the bytes as they came

A file that is full is followed by the next generation; only the last two are kept, so that a log of any size needs
a bounded place. A line has the time of the record that it begins in.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BufferedReader
from itertools import chain
from pathlib import Path
from typing import Final

LIMIT: Final = 10 * 1024 * 1024
_BATCH: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Record:
    """Some bytes, and when they came, in nanoseconds of the epoch."""

    nanoseconds: int
    data: bytes


class ContainerLog:
    """Written by one process, followed by any number of readers."""

    def __init__(self, path: Path, limit: int = LIMIT) -> None:
        self._path = path
        self._limit = limit // 2
        self._size = 0
        self.change = asyncio.Event()
        """Set, and replaced by a fresh one, when something was written, or the log was closed."""
        self.generation = 0
        self.closed = False
        self._file = self.file_of(0).open("wb", buffering=0)

    def file_of(self, generation: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{generation}")

    def write(self, data: bytes, now: datetime) -> None:
        if self._size >= self._limit:
            self._next_generation()
        record = b"%d %d\n" % (int(now.timestamp() * 1e6) * 1000, len(data)) + data
        self._file.write(record)
        self._size += len(record)
        self._wake()

    def close(self) -> None:
        """Nothing more comes."""
        self.closed = True
        self._file.close()
        self._wake()

    def _next_generation(self) -> None:
        self._file.close()
        self.file_of(self.generation - 1).unlink(missing_ok=True)
        self.generation += 1
        self._file = self.file_of(self.generation).open("wb", buffering=0)
        self._size = 0

    def _wake(self) -> None:
        self.change.set()
        self.change = asyncio.Event()


def generations(path: Path) -> list[int]:
    """The generations of the log at `path` that are on disk, oldest first."""
    found = (file.name.removeprefix(path.name + ".") for file in path.parent.glob(f"{path.name}.*"))
    return sorted(int(suffix) for suffix in found if suffix.isdigit())


class Reader:
    """Reads a log from its oldest kept record on."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._generation = -1
        self._file: BufferedReader | None = None

    def take(self) -> Iterator[Record]:
        """All records since the last call."""
        while True:
            yield from self._rest()
            later = [generation for generation in generations(self._path) if generation > self._generation]
            if not later:
                return
            self.close()
            self._generation = later[0]
            self._file = self._path.with_name(f"{self._path.name}.{later[0]}").open("rb")

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _rest(self) -> Iterator[Record]:
        while self._file is not None:
            start = self._file.tell()
            header = self._file.readline()
            if header.endswith(b"\n"):
                moment, length = header.split()
                data = self._file.read(int(length))
                if len(data) == int(length):
                    yield Record(int(moment), data)
                    continue
            self._file.seek(start)
            return


@dataclass(frozen=True, slots=True)
class LogOptions:
    """What a reader of a log asks for; the words are those of the API."""

    follow: bool = False
    tail_lines: int | None = None
    timestamps: bool = False
    since: datetime | None = None
    limit_bytes: int | None = None


async def read_log(path: Path, live: ContainerLog | None, options: LogOptions) -> AsyncIterator[bytes]:
    """The log at `path` as `options` want it; `live` is who writes it still."""
    reader = Reader(path)
    left = options.limit_bytes
    try:
        async for data in _formatted(reader, live, options):
            if left is None:
                yield data
            else:
                yield data[:left]
                left -= min(left, len(data))
                if not left:
                    return
    finally:
        reader.close()


async def _formatted(reader: Reader, live: ContainerLog | None, options: LogOptions) -> AsyncIterator[bytes]:
    lines = _Lines(options)
    change = live.change if live else None
    now = lines.of(reader.take())
    if not options.follow or live is None or live.closed:
        now = chain(now, lines.rest())
    if options.tail_lines is not None:
        now = iter(deque(now, maxlen=options.tail_lines))
    for batch in _batches(now):
        yield batch
    while options.follow and live is not None and change is not None:
        ended = live.closed
        if not ended:
            await change.wait()
        change = live.change
        for batch in _batches(lines.of(reader.take())):
            yield batch
        if ended:
            break
    for line in lines.rest():
        yield line


def _batches(lines: Iterator[bytes]) -> Iterator[bytes]:
    batch: list[bytes] = []
    size = 0
    for line in lines:
        batch.append(line)
        size += len(line)
        if size >= _BATCH:
            yield b"".join(batch)
            batch, size = [], 0
    if batch:
        yield b"".join(batch)


class _Lines:
    """Turns records into lines, each with the time of its beginning. A line that has not ended is kept back."""

    def __init__(self, options: LogOptions) -> None:
        self._options = options
        self._since = int(options.since.timestamp() * 1e9) if options.since else 0
        self._begun = b""
        self._begun_at = 0

    def of(self, records: Iterator[Record]) -> Iterator[bytes]:
        for record in records:
            *lines, rest = record.data.split(b"\n")
            for line in lines:
                at, text = (self._begun_at, self._begun + line) if self._begun else (record.nanoseconds, line)
                self._begun = b""
                if at >= self._since:
                    yield self._stamp(at) + text + b"\n"
            if rest:
                self._begun_at = self._begun_at if self._begun else record.nanoseconds
                self._begun += rest
                if len(self._begun) >= _BATCH:
                    yield from self.rest()

    def rest(self) -> Iterator[bytes]:
        if self._begun and self._begun_at >= self._since:
            yield self._stamp(self._begun_at) + self._begun
        self._begun = b""

    def _stamp(self, nanoseconds: int) -> bytes:
        if not self._options.timestamps:
            return b""
        seconds, fraction = divmod(nanoseconds, 10**9)
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{fraction:09d}Z ".encode()


def tail(path: Path, size: int, lines: int) -> bytes:
    """The last `lines` lines of a log, at most the last `size` bytes of them."""
    kept = b""
    reader = Reader(path)
    for record in reader.take():
        kept = (kept + record.data)[-size:]
    reader.close()
    return b"".join(kept.splitlines(keepends=True)[-lines:])
