"""What a restart finds again."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.dev_bodies import CONFIG_MAPS, config, owned_by
from windlass.dev.api import journal as journals
from windlass.dev.api.collector import Collector
from windlass.dev.api.journal import Journal
from windlass.dev.api.store import Store
from windlass.errors import Gone


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "objects.jsonl"


def opened(path: Path, clock) -> Store:  # type: ignore[no-untyped-def]
    return Store(now=clock, journal=Journal(path))


def test_objects_and_versions_go_on(path: Path, clock) -> None:  # type: ignore[no-untyped-def]
    before = opened(path, clock)
    before.create(CONFIG_MAPS, config("a", {"x": "1"}))
    before.patch(CONFIG_MAPS, "default", "a", {"data": {"x": "2"}})
    before.create(CONFIG_MAPS, config("b"))
    before.delete(CONFIG_MAPS, "default", "b")
    kept, version = before.list(CONFIG_MAPS), before.version

    after = opened(path, clock)
    assert (after.list(CONFIG_MAPS), after.version) == (kept, version)
    assert after.create(CONFIG_MAPS, config("c"))["metadata"]["resourceVersion"] == str(version + 1)


def test_versions_go_on_when_the_last_write_was_a_delete(path: Path, clock) -> None:  # type: ignore[no-untyped-def]
    before = opened(path, clock)
    before.create(CONFIG_MAPS, config("a"))
    before.delete(CONFIG_MAPS, "default", "a")
    opened(path, clock)
    assert opened(path, clock).version == before.version


def test_a_line_cut_short_is_dropped(path: Path, clock) -> None:  # type: ignore[no-untyped-def]
    before = opened(path, clock)
    before.create(CONFIG_MAPS, config("a"))
    before.create(CONFIG_MAPS, config("b"))
    path.write_bytes(path.read_bytes()[:-20])
    after = opened(path, clock)
    assert [obj["metadata"]["name"] for obj in after.list(CONFIG_MAPS)] == ["a"]
    after.create(CONFIG_MAPS, config("c"))
    assert len(opened(path, clock).list(CONFIG_MAPS)) == 2


def test_a_watch_from_before_the_restart_is_gone(path: Path, clock) -> None:  # type: ignore[no-untyped-def]
    before = opened(path, clock)
    before.create(CONFIG_MAPS, config("a"))
    version = before.version
    before.create(CONFIG_MAPS, config("b"))
    with pytest.raises(Gone):
        opened(path, clock).watch(CONFIG_MAPS, version)


async def test_orphans_of_before_are_collected(path: Path, clock) -> None:  # type: ignore[no-untyped-def]
    before = opened(path, clock)
    owner = before.create(CONFIG_MAPS, config("owner"))
    before.create(CONFIG_MAPS, config("child", ownerReferences=owned_by(owner)))
    before.delete(CONFIG_MAPS, "default", "owner")
    after = opened(path, clock)
    Collector(after).collect()
    assert after.list(CONFIG_MAPS) == []


def test_a_long_file_is_written_anew(path: Path, clock, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(journals, "_LONG", 10_000)
    store = opened(path, clock)
    store.create(CONFIG_MAPS, config("a"))
    for number in range(500):
        store.patch(CONFIG_MAPS, "default", "a", {"data": {"n": str(number)}})
    assert path.stat().st_size < 30_000
    assert opened(path, clock).get(CONFIG_MAPS, "default", "a")["data"] == {"n": "499"}
