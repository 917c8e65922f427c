"""What can go wrong between Windlass and the Kubernetes API, as a small tree.

ApiError                      an answer, or none
├── Retryable                 the same request may work later: no failure of the user's task
│   ├── TooManyRequests       429; honour `retry_after`
│   ├── ServerError           5xx
│   ├── Unreachable           no answer: the request may have been carried out, or may be later
│   ├── QuotaExceeded         403 of a ResourceQuota
│   └── NotLeading            another process may lead: not sent, or refused for its older term
├── NotFound                  404
├── AlreadyExists             409 of a create
├── Conflict                  409 of a write: the object is newer than what was read
├── Gone                      410: a watch or a page continues from a version that the server forgot
├── Unauthorized              401
└── Refused                   the request is wrong for good
    ├── Forbidden             403: admission policy, Pod Security
    │   └── NotPermitted      403 of the authorizer, RBAC: a right that may be given yet, or given back
    └── Invalid               400, 413, 422
"""

from __future__ import annotations

from typing import Any


class ApiError(Exception):
    """An answer of the API server that is not success. `status` is 0 when there was no answer."""

    def __init__(self, message: str, status: int = 0, reason: str = "", retry_after: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.reason = reason
        self.retry_after = retry_after
        """Seconds that the server asked to wait, if it did."""
        self.details: dict[str, Any] | None = None
        """What a server adds for programs: `details` of a metav1.Status."""


class Retryable(ApiError):
    """The same request may work later."""


class TooManyRequests(Retryable):
    """429."""


class ServerError(Retryable):
    """5xx."""


class Unreachable(Retryable):
    """No answer came; whether the request was, or will be, carried out is unknown."""


class QuotaExceeded(Retryable):
    """A ResourceQuota of the namespace is used up."""


class NotLeading(Retryable):
    """A write of a process that leads no more: it was held back, or the cluster's fencing policy has refused it."""


class NotFound(ApiError):
    """404."""


class AlreadyExists(ApiError):
    """A create met an object of that name."""


class Conflict(ApiError):
    """A write was based on an old version of the object."""


class Gone(ApiError):
    """410: list again."""


class Unauthorized(ApiError):
    """401."""


class Refused(ApiError):
    """The request is wrong for good."""


class Forbidden(Refused):
    """403 by RBAC, an admission policy or Pod Security."""


class NotPermitted(Forbidden):
    """403 by RBAC: the message names verb, resource and namespace."""


class Invalid(Refused):
    """The object is not valid, or too large."""
