"""Why a container can't start, as a small tree.

StartRefused             `reason` is what the kubelet writes as the reason of the waiting container
├── ConfigMissing        CreateContainerConfigError: a Secret, ConfigMap or key is not there (yet): tried again
├── VolumeMissing        ContainerCreating: a volume can't be set up (yet), told by an event FailedMount: tried again
├── ImageMissing         ErrImagePull, then ImagePullBackOff: for good
└── Unstartable          CreateContainerError: the development cluster can't play this container: for good
"""

from __future__ import annotations

from typing import ClassVar


class StartRefused(Exception):
    """A container that can't start now."""

    reason: ClassVar[str] = ""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ConfigMissing(StartRefused):
    """An object or key that the environment or a mount names is not there."""

    reason = "CreateContainerConfigError"


class VolumeMissing(StartRefused):
    """A volume can't be set up."""

    reason = "ContainerCreating"


class ImageMissing(StartRefused):
    """The image's name says that its pull fails."""

    reason = "ErrImagePull"


class Unstartable(StartRefused):
    """No program to start."""

    reason = "CreateContainerError"
