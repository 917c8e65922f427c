"""Claims become directories: bound when the first pod wants them, removed when the claim is gone and no pod uses it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from windlass.dev.pods.node import NODE_NAME
from windlass.dev.pods.objects import VOLUMES, Objects
from windlass.dev.pods.removal import remove_tree
from windlass.resources import CLAIMS

Body = dict[str, Any]


class Claims:
    """Plays the storage provisioner. Sizes are not enforced; every class and access mode is granted."""

    def __init__(self, objects: Objects, root: Path) -> None:
        self._objects = objects
        self._root = root
        root.mkdir(parents=True, exist_ok=True)

    def path_of(self, namespace: str, name: str) -> Path | None:
        """The directory of a claim, bound by this call if it was not; None when there is no such claim."""
        claim = self._objects.find(CLAIMS, namespace, name)
        if claim is None:
            return None
        path = self._root / _directory(claim)
        if (claim.get("status") or {}).get("phase") != "Bound":
            self._bind(claim, path)
        path.mkdir(exist_ok=True)
        path.chmod(0o777)
        return path

    def sweep(self, used: set[Path]) -> None:
        """Remove the directories of claims that are gone, but for those that pods use."""
        claims = {_directory(claim): claim for claim in self._objects.store.list(CLAIMS)}
        for path in self._root.iterdir():
            if path.name not in claims and path not in used:
                remove_tree(path)
        bound = {claim["spec"].get("volumeName") for claim in claims.values()}
        for volume in self._objects.store.list(VOLUMES):
            local = (volume["spec"].get("local") or {}).get("path", "")
            if volume["metadata"]["name"] not in bound and local.startswith(str(self._root)):
                self._objects.remove(VOLUMES, None, volume["metadata"]["name"])

    def _bind(self, claim: Body, path: Path) -> None:
        meta, spec = claim["metadata"], claim["spec"]
        name = f"pvc-{meta['uid']}"
        modes = spec.get("accessModes") or ["ReadWriteOnce"]
        capacity = {"storage": ((spec.get("resources") or {}).get("requests") or {}).get("storage", "1Gi")}
        reference = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "uid": meta["uid"]}
        volume = {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": name},
            "spec": {
                "accessModes": modes,
                "capacity": capacity,
                "claimRef": reference | {"name": meta["name"], "namespace": meta["namespace"]},
                "local": {"path": str(path)},
                "persistentVolumeReclaimPolicy": "Delete",
                "storageClassName": spec.get("storageClassName") or "",
                "volumeMode": "Filesystem",
            },
        }
        self._objects.create_once(VOLUMES, volume)
        stored = self._objects.find(VOLUMES, None, name)
        if stored is not None:
            self._objects.write(VOLUMES, {**stored, "status": {"phase": "Bound"}})
        annotations = (meta.get("annotations") or {}) | {"volume.kubernetes.io/selected-node": NODE_NAME}
        bound = {
            **claim,
            "metadata": {**meta, "annotations": annotations},
            "spec": {**spec, "volumeName": name},
            "status": {"phase": "Bound", "accessModes": modes, "capacity": capacity},
        }
        self._objects.write(CLAIMS, bound)


def _directory(claim: Body) -> str:
    meta = claim["metadata"]
    readable = re.sub(r"[^a-zA-Z0-9.-]", "-", f"{meta['namespace']}.{meta['name']}")
    return f"{readable}.{meta['uid'][:8]}"
