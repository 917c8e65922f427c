"""ResourceQuotas: what a namespace may still create, counted from what is there."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from windlass.dev.api.answers import over_quota, qualified
from windlass.dev.api.catalog import Kind
from windlass.dev.api.hub import Body
from windlass.dev.api.quantity import quantity
from windlass.resources import Resource

if TYPE_CHECKING:
    from windlass.dev.api.store import Store

QUOTAS: Final = Resource("", "v1", "resourcequotas", "ResourceQuota")
_COUNTED_PLAIN: Final = frozenset({"configmaps", "secrets", "services", "persistentvolumeclaims", "resourcequotas"})


def usage(kind: Kind, body: Body) -> dict[str, Decimal]:
    """What one object takes from the quotas of its namespace."""
    used = {f"count/{qualified(kind.resource)}": Decimal(1)}
    if kind.resource.group == "" and kind.resource.plural in _COUNTED_PLAIN:
        used[kind.resource.plural] = Decimal(1)
    if kind.storage == ("", "persistentvolumeclaims"):
        used["requests.storage"] = quantity(body["spec"]["resources"]["requests"]["storage"])
    if kind.storage == ("", "pods") and (body.get("status") or {}).get("phase") not in {"Succeeded", "Failed"}:
        used |= {"pods": Decimal(1)} | _compute(body["spec"])
    return used


def _compute(spec: Body) -> dict[str, Decimal]:
    total: dict[str, Decimal] = {}
    for side in ("requests", "limits"):
        for resource in ("cpu", "memory"):
            running = sum((_amount(one, side, resource) for one in spec.get("containers") or ()), Decimal(0))
            sidecars = Decimal(0)
            peak = Decimal(0)
            for one in spec.get("initContainers") or ():
                amount = _amount(one, side, resource)
                if one.get("restartPolicy") == "Always":
                    sidecars += amount
                else:
                    peak = max(peak, amount + sidecars)
            total[f"{side}.{resource}"] = max(running + sidecars, peak)
    return total | {resource: total[f"requests.{resource}"] for resource in ("cpu", "memory")}


def _amount(container: Body, side: str, resource: str) -> Decimal:
    return quantity(((container.get("resources") or {}).get(side) or {}).get(resource, 0))


def check_quota(store: Store, kind: Kind, body: Body) -> None:
    """Refuse an object that its namespace has no room for."""
    namespace = body["metadata"].get("namespace")
    quotas = store.select(store.catalog.kind(QUOTAS), namespace) if namespace else []
    if not quotas:
        return
    asked = usage(kind, body)
    used: dict[str, Decimal] | None = None
    for quota in quotas:
        hard: Mapping[str, str] = quota.body["spec"].get("hard") or {}
        wanted = [name for name in hard if name in asked]
        if not wanted:
            continue
        name, quota_name = body["metadata"]["name"], quota.body["metadata"]["name"]
        missing = [part for part in wanted if not asked[part]]
        if missing:
            raise over_quota(kind.resource, name, f"failed quota: {quota_name}: must specify {_missing(missing)}")
        if used is None:
            used = _used(store, kind, namespace)
        over = [part for part in wanted if used.get(part, Decimal(0)) + asked[part] > quantity(hard[part])]
        if over:
            raise over_quota(kind.resource, name, _exceeded(quota_name, over, asked, used, hard))


def _missing(parts: list[str]) -> str:
    return ",".join(sorted(parts))


def _used(store: Store, kind: Kind, namespace: str | None) -> dict[str, Decimal]:
    total: dict[str, Decimal] = {}
    for stored in store.select(kind, namespace):
        for part, amount in usage(kind, stored.body).items():
            total[part] = total.get(part, Decimal(0)) + amount
    return total


def used_by(store: Store, namespace: str, hard: Mapping[str, str]) -> dict[str, str]:
    """What the objects of a namespace take, of what a quota limits."""
    total: dict[str, Decimal] = {}
    for (storage, _), stored in store.in_namespace(namespace):
        for part, amount in usage(store.catalog.of_storage(storage), stored.body).items():
            total[part] = total.get(part, Decimal(0)) + amount
    return {part: shown(total.get(part, Decimal(0)), part) for part in hard}


def _exceeded(
    quota: str, parts: list[str], asked: Mapping[str, Decimal], used: Mapping[str, Decimal], hard: Mapping[str, str]
) -> str:
    requested = ",".join(f"{part}={shown(asked[part], part)}" for part in parts)
    taken = ",".join(f"{part}={shown(used.get(part, Decimal(0)), part)}" for part in parts)
    limited = ",".join(f"{part}={hard[part]}" for part in parts)
    return f"exceeded quota: {quota}, requested: {requested}, used: {taken}, limited: {limited}"


def shown(amount: Decimal, part: str) -> str:
    """An amount in the form that people write."""
    if "memory" in part or "storage" in part:
        for suffix, size in (("Gi", 2**30), ("Mi", 2**20), ("Ki", 2**10)):
            if amount and amount % size == 0:
                return f"{int(amount / size)}{suffix}"
    if amount % 1:
        return f"{int(amount * 1000)}m"
    return str(int(amount))
