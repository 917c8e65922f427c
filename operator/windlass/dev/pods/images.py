"""What an image's name means here: nothing is pulled, an image is the host, with two exceptions.

A name that contains `git-sync` is played by the stand-in of dev/git_sync.py. A name of the registry
`invalid.example`, or with the tag `missing`, can't be pulled, as a wrong name can't on a real cluster.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto
from typing import Final

MISSING_REGISTRY: Final = "invalid.example"
MISSING_TAG: Final = "missing"
GIT_SYNC: Final = "git-sync"
GIT_SYNC_PROGRAM: Final = "/git-sync"


PASSWD: Final = """\
root:x:0:0:root:/root:/bin/bash
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
git-sync:x:65533:65533::/tmp:/sbin/nologin
"""
"""The file /etc/passwd of the git-sync image, which its containers may write."""


class Image(Enum):
    """What runs in a container."""

    HOST = auto()
    GIT_SYNC = auto()
    MISSING = auto()


def image_of(name: str) -> Image:
    """What stands for the image of this name."""
    without_digest = name.partition("@")[0]
    registry, _, rest = without_digest.partition("/")
    tag = without_digest.rpartition("/")[2].partition(":")[2]
    if (rest and registry.partition(":")[0] == MISSING_REGISTRY) or tag == MISSING_TAG:
        return Image.MISSING
    return Image.GIT_SYNC if GIT_SYNC in without_digest else Image.HOST


def pull_error(name: str) -> str:
    """The words in which a container runtime says that an image is not there."""
    full = name if ":" in name.rpartition("/")[2] or "@" in name else f"{name}:latest"
    return f'failed to pull and unpack image "{full}": failed to resolve reference "{full}": {full}: not found'


def local_repository(arguments: Sequence[str]) -> str | None:
    """The directory on the host that git-sync is to fetch from, if it is one."""
    for word, following in zip(arguments, [*arguments[1:], ""], strict=True):
        name, _, value = word.partition("=")
        if name == "--repo":
            path = (value or following).removeprefix("file://")
            return path if path.startswith("/") else None
    return None
