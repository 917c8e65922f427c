"""A container's log on disk: cut, read, followed."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from windlass.dev.pods.logs import ContainerLog, LogOptions, generations, read_log, tail

NOW = datetime(2025, 4, 1, 12, tzinfo=UTC)
PARTS = [b"one\ntw", b"o\nthree\n", b"four"]
CASES = {
    "all": ({}, b"one\ntwo\nthree\nfour"),
    "the last lines": ({"tail_lines": 2}, b"three\nfour"),
    "no line": ({"tail_lines": 0}, b""),
    "some bytes": ({"limit_bytes": 5}, b"one\nt"),
    "since the second part": ({"since": NOW + timedelta(seconds=1)}, b"three\nfour"),
    "a line has the time of its beginning": (
        {"timestamps": True, "tail_lines": 3},
        b"2025-04-01T12:00:00.000000000Z two\n"
        b"2025-04-01T12:00:01.000000000Z three\n"
        b"2025-04-01T12:00:02.000000000Z four",
    ),
}


async def read(path: Path, live: ContainerLog | None = None, **options: Any) -> bytes:
    return b"".join([part async for part in read_log(path, live, LogOptions(**options))])


@pytest.mark.parametrize(("options", "text"), CASES.values(), ids=CASES.keys())
async def test_reading(tmp_path: Path, options: dict[str, Any], text: bytes) -> None:
    log = ContainerLog(tmp_path / "main")
    for seconds, part in enumerate(PARTS):
        log.write(part, NOW + timedelta(seconds=seconds))
    log.close()
    assert await read(tmp_path / "main", **options) == text
    assert await read(tmp_path / "main", log, follow=True, **options) == text


async def test_following(tmp_path: Path) -> None:
    log = ContainerLog(tmp_path / "main")
    log.write(b"zero\none\n", NOW)
    reader = asyncio.create_task(read(tmp_path / "main", log, follow=True, tail_lines=1))
    for part in PARTS:
        await asyncio.sleep(0)
        log.write(part, NOW)
    await asyncio.sleep(0)
    log.close()
    assert await reader == b"one\none\ntwo\nthree\nfour"


async def test_a_full_log_keeps_its_end(tmp_path: Path) -> None:
    log = ContainerLog(tmp_path / "main", limit=2000)
    for number in range(1000):
        log.write(b"%04d\n" % number, NOW)
    log.close()
    kept = (await read(tmp_path / "main")).splitlines()
    assert kept == [b"%04d" % number for number in range(1000 - len(kept), 1000)]
    assert len(generations(tmp_path / "main")) == 2
    assert _size(tmp_path) < 2100


def _size(directory: Path) -> int:
    return sum(file.stat().st_size for file in directory.iterdir())


async def test_a_reader_follows_over_full_files(tmp_path: Path) -> None:
    log = ContainerLog(tmp_path / "main", limit=2000)
    reader = asyncio.create_task(read(tmp_path / "main", log, follow=True))
    for number in range(1000):
        log.write(b"%04d\n" % number, NOW)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    log.close()
    assert (await reader).splitlines() == [b"%04d" % number for number in range(1000)]


TAILS = {"lines": (100, 2, b"three\nfour"), "bytes": (7, 80, b"ee\nfour"), "all": (100, 80, b"one\ntwo\nthree\nfour")}


@pytest.mark.parametrize(("size", "lines", "text"), TAILS.values(), ids=TAILS.keys())
def test_tail(tmp_path: Path, size: int, lines: int, text: bytes) -> None:
    log = ContainerLog(tmp_path / "main")
    for part in PARTS:
        log.write(part, NOW)
    assert tail(tmp_path / "main", size, lines) == text
    log.close()
