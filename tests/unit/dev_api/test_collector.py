"""What follows from a delete."""

from __future__ import annotations

import pytest

from support.dev_bodies import CONFIG_MAPS, Body, config, owned_by, pod
from windlass.dev.api.collector import Collector
from windlass.dev.api.store import Store
from windlass.errors import Forbidden, NotFound
from windlass.resources import NAMESPACES, PODS


def names(store: Store) -> list[str]:
    return [obj["metadata"]["name"] for obj in store.list(CONFIG_MAPS, "default")]


def family(store: Store) -> Body:
    """An owner, its child and grandchild, and a child that another owns too."""
    owner = store.create(CONFIG_MAPS, config("owner"))
    other = store.create(CONFIG_MAPS, config("other"))
    child = store.create(CONFIG_MAPS, config("child", ownerReferences=owned_by(owner, blockOwnerDeletion=True)))
    store.create(CONFIG_MAPS, config("grandchild", ownerReferences=owned_by(child)))
    store.create(CONFIG_MAPS, config("shared", ownerReferences=[*owned_by(owner), *owned_by(other)]))
    return owner


def test_dependents_go_with_their_last_owner(store: Store, collector: Collector) -> None:
    family(store)
    store.delete(CONFIG_MAPS, "default", "owner")
    assert names(store) == ["child", "grandchild", "other", "shared"]
    collector.collect()
    assert names(store) == ["other", "shared"]
    kept = store.get(CONFIG_MAPS, "default", "shared")["metadata"]["ownerReferences"]
    assert [owner["name"] for owner in kept] == ["other"]


def test_an_owner_of_the_same_name_is_another(store: Store, collector: Collector) -> None:
    owner = store.create(CONFIG_MAPS, config("owner"))
    store.delete(CONFIG_MAPS, "default", "owner")
    store.create(CONFIG_MAPS, config("owner"))
    store.create(CONFIG_MAPS, config("late", ownerReferences=owned_by(owner)))
    assert names(store) == ["late", "owner"]
    collector.collect()
    assert names(store) == ["owner"]


def test_orphans_stay(store: Store, collector: Collector) -> None:
    family(store)
    store.delete(CONFIG_MAPS, "default", "owner", propagation="Orphan")
    collector.collect()
    assert names(store) == ["child", "grandchild", "other", "shared"]
    assert "ownerReferences" not in store.get(CONFIG_MAPS, "default", "child")["metadata"]


def test_in_the_foreground_the_owner_goes_last(store: Store, collector: Collector) -> None:
    owner = store.create(CONFIG_MAPS, config("owner"))
    references = owned_by(owner, blockOwnerDeletion=True)
    store.create(CONFIG_MAPS, config("child", finalizers=["example.com/x"], ownerReferences=references))
    store.delete(CONFIG_MAPS, "default", "owner", propagation="Foreground")
    collector.collect()
    assert names(store) == ["child", "owner"]
    store.patch(CONFIG_MAPS, "default", "child", {"metadata": {"finalizers": None}})
    collector.collect()
    assert names(store) == []


def test_a_finalizer_holds_a_dependent(store: Store, collector: Collector) -> None:
    owner = store.create(CONFIG_MAPS, config("owner"))
    store.create(PODS, pod("a", ownerReferences=owned_by(owner), finalizers=["windlass.dev/result"]))
    store.delete(CONFIG_MAPS, "default", "owner")
    collector.collect()
    assert "deletionTimestamp" in store.get(PODS, "default", "a")["metadata"]
    store.patch(PODS, "default", "a", [{"op": "remove", "path": "/metadata/finalizers/0"}], "json")
    assert store.list(PODS) == []


def test_a_namespace_takes_everything_with_it(store: Store, collector: Collector) -> None:
    store.create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}})
    store.create(CONFIG_MAPS, config("held", namespace="n", finalizers=["example.com/x"]))
    store.delete(NAMESPACES, None, "n")
    collector.collect()
    assert store.get(NAMESPACES, None, "n")["status"] == {"phase": "Terminating"}
    with pytest.raises(Forbidden, match="because it is being terminated"):
        store.create(CONFIG_MAPS, config("new", namespace="n"))
    store.patch(CONFIG_MAPS, "n", "held", {"metadata": {"finalizers": None}})
    collector.collect()
    with pytest.raises(NotFound):
        store.get(NAMESPACES, None, "n")


def test_old_events_are_swept(store: Store, collector: Collector, clock) -> None:  # type: ignore[no-untyped-def]
    from windlass.resources import EVENTS

    event = {"apiVersion": "events.k8s.io/v1", "kind": "Event", "reason": "x", "note": "y"}
    store.create(EVENTS, {**event, "metadata": {"name": "old", "namespace": "default"}})
    clock.pass_(minutes=50)
    store.create(EVENTS, {**event, "metadata": {"name": "new", "namespace": "default"}})
    clock.pass_(minutes=20)
    collector.sweep_events()
    assert [event["metadata"]["name"] for event in store.list(EVENTS)] == ["new"]
