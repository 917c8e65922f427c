"""Bytes that come in chunks, cut into lines."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

LONGEST_LINE: Final = 64 * 1024


class LineSplitter:
    """Takes chunks, gives whole lines without their ends, and keeps the rest for the next chunk."""

    def __init__(self) -> None:
        self._pending: list[bytes] = []
        self.pending_size = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that `chunk` completes."""
        if b"\n" not in chunk:
            self._keep(chunk)
            return []
        lines = chunk.split(b"\n")
        if self._pending:
            lines[0] = b"".join((*self._pending, lines[0]))
        self._pending, self.pending_size = [], 0
        self._keep(lines.pop())
        return lines

    def rest(self) -> bytes:
        """What came after the last line's end."""
        left = b"".join(self._pending)
        self._pending, self.pending_size = [], 0
        return left

    def _keep(self, chunk: bytes) -> None:
        if chunk:
            self._pending.append(chunk)
            self.pending_size += len(chunk)


async def split_lines(chunks: AsyncIterator[bytes], longest: int = LONGEST_LINE) -> AsyncIterator[bytes]:
    """The lines of a log, without their ends; a longer one than `longest` comes in parts."""
    splitter = LineSplitter()
    async for chunk in chunks:
        for line in splitter.feed(chunk):
            yield line
        if splitter.pending_size > longest:
            yield splitter.rest()
    if left := splitter.rest():
        yield left
