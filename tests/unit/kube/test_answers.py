"""What the API server's answers mean."""

from __future__ import annotations

import json

import pytest

from support.scripted_api import refusal
from windlass import errors
from windlass.kube.answers import error_of

CASES = {
    "not logged in": ("get", 401, refusal(401, "Unauthorized"), errors.Unauthorized),
    "RBAC says no": ("create", 403, refusal(403, "Forbidden", "pods is forbidden: User"), errors.Forbidden),
    "the quota is used up": (
        "create",
        403,
        refusal(403, "Forbidden", 'pods "a" is forbidden: exceeded quota: small, requested: pods=1'),
        errors.QuotaExceeded,
    ),
    "the quota was not counted yet": (
        "create",
        403,
        refusal(403, "Forbidden", 'pods "a" is forbidden: status unknown for quota: small, resources: pods'),
        errors.QuotaExceeded,
    ),
    "the quota wants limits, which waiting won't bring": (
        "create",
        403,
        refusal(403, "Forbidden", 'pods "a" is forbidden: failed quota: small: must specify limits.cpu'),
        errors.Forbidden,
    ),
    "Pod Security says no": (
        "create",
        403,
        refusal(403, "Forbidden", 'pods "a" is forbidden: violates PodSecurity "restricted:latest"'),
        errors.Forbidden,
    ),
    "a right is missing": (
        "create",
        403,
        refusal(
            403,
            "Forbidden",
            'pods is forbidden: User "system:serviceaccount:w:w" cannot create resource "pods" in API group "" in the '
            'namespace "data"',
        ),
        errors.NotPermitted,
    ),
    "the fencing policy says no": (
        "create",
        403,
        refusal(403, "Forbidden", 'pods "a" is forbidden: denied request: it comes from an older term of the lease'),
        errors.NotLeading,
    ),
    "no such object": ("get", 404, refusal(404, "NotFound"), errors.NotFound),
    "a create meets the name": ("create", 409, refusal(409, "AlreadyExists"), errors.AlreadyExists),
    "a write is outdated": ("update", 409, refusal(409, "Conflict"), errors.Conflict),
    "a delete names another uid": ("delete", 409, refusal(409, "Conflict"), errors.Conflict),
    "creates race for the quota's count": (
        "create",
        409,
        refusal(409, "Conflict", "Operation cannot be fulfilled on resourcequotas small: modified"),
        errors.QuotaExceeded,
    ),
    "a create conflicts for another reason": ("create", 409, refusal(409, "Conflict", "webhook"), errors.ServerError),
    "the version is forgotten": ("list", 410, refusal(410, "Expired"), errors.Gone),
    "the request is no request": ("create", 400, refusal(400, "BadRequest"), errors.Invalid),
    "the object is too large": ("create", 413, refusal(413, "RequestEntityTooLarge"), errors.Invalid),
    "the object is not valid": ("create", 422, refusal(422, "Invalid"), errors.Invalid),
    "the verb is unknown": ("patch", 405, refusal(405, "MethodNotAllowed"), errors.Refused),
    "too many requests": ("get", 429, refusal(429, "TooManyRequests"), errors.TooManyRequests),
    "the server failed": ("get", 500, refusal(500, "InternalError"), errors.ServerError),
    "etcd has not answered it": (
        "create",
        500,
        refusal(500, "InternalError", "etcdserver: request timed out"),
        errors.Unreachable,
    ),
    "a proxy has lost it": ("create", 502, "<html>Bad Gateway</html>", errors.Unreachable),
    "the server starts": ("get", 503, refusal(503, "ServiceUnavailable"), errors.ServerError),
    "the server gave up waiting": ("create", 504, refusal(504, "Timeout"), errors.Unreachable),
}


@pytest.mark.parametrize(("verb", "status", "body", "kind"), CASES.values(), ids=CASES.keys())
def test_class(verb: str, status: int, body: object, kind: type[errors.ApiError]) -> None:
    raw = body if isinstance(body, str) else json.dumps(body)
    error = error_of(verb, status, raw.encode())
    assert (type(error), error.status) == (kind, status)


WORDS = {
    "the Status' words": (json.dumps(refusal(422, "Invalid", "spec.x: wrong")).encode(), "spec.x: wrong", "Invalid"),
    "another body, cut": (b"x" * 5000, "x" * 300, ""),
    "bytes that are no text": (b"\xff\xfe oh", "\ufffd\ufffd oh", ""),
    "no body at all": (b"", "the API server answered 422 without a word", ""),
    "JSON that is no Status": (b'{"kind": "Pod"}', '{"kind": "Pod"}', ""),
    "JSON that is no object": (b"[1]", "[1]", ""),
}


@pytest.mark.parametrize(("body", "message", "reason"), WORDS.values(), ids=WORDS.keys())
def test_words(body: bytes, message: str, reason: str) -> None:
    error = error_of("create", 422, body)
    assert (error.message, error.reason) == (message, reason)


WAITS = {
    "the header": ("7", {}, 7.0),
    "the details": (None, {"retryAfterSeconds": 3}, 3.0),
    "the header before the details": ("7", {"retryAfterSeconds": 3}, 7.0),
    "a header that is no number": ("Wed, 21 Oct 2015 07:28:00 GMT", {}, None),
    "nothing": (None, {}, None),
    "zero details": (None, {"retryAfterSeconds": 0}, None),
    "details that are no number": (None, {"retryAfterSeconds": "soon"}, None),
}


@pytest.mark.parametrize(("header", "details", "wait"), WAITS.values(), ids=WAITS.keys())
def test_retry_after(header: str | None, details: dict, wait: float | None) -> None:
    body = json.dumps(refusal(429, "TooManyRequests", **details)).encode()
    assert error_of("get", 429, body, header).retry_after == wait
