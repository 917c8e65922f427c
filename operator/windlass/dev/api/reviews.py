"""Who am I, and may I: on the development cluster, its one user, and yes."""

from __future__ import annotations

from typing import Final

from windlass.dev.api.hub import Body
from windlass.resources import Resource

_AUTHORIZATION: Final = "authorization.k8s.io"
_AUTHENTICATION: Final = "authentication.k8s.io"
USER: Final = {"username": "windlass-dev", "groups": ["system:masters", "system:authenticated"]}

REVIEWS: Final = (
    Resource(_AUTHENTICATION, "v1", "selfsubjectreviews", "SelfSubjectReview", namespaced=False),
    Resource(_AUTHENTICATION, "v1", "tokenreviews", "TokenReview", namespaced=False),
    Resource(_AUTHORIZATION, "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", namespaced=False),
    Resource(_AUTHORIZATION, "v1", "subjectaccessreviews", "SubjectAccessReview", namespaced=False),
    Resource(_AUTHORIZATION, "v1", "localsubjectaccessreviews", "LocalSubjectAccessReview"),
    Resource(_AUTHORIZATION, "v1", "selfsubjectrulesreviews", "SelfSubjectRulesReview", namespaced=False),
)


def review(plural: str, body: Body, token: str) -> Body:
    """The answer to a review."""
    match plural:
        case "selfsubjectreviews":
            status: Body = {"userInfo": USER}
        case "tokenreviews":
            good = (body.get("spec") or {}).get("token") == token
            status = {"authenticated": True, "user": USER} if good else {"authenticated": False}
        case "selfsubjectrulesreviews":
            rule = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
            status = {"resourceRules": [rule], "nonResourceRules": [], "incomplete": False}
        case _:
            status = {"allowed": True, "reason": "the development cluster has one user, who may do everything"}
    kind = next(one for one in REVIEWS if one.plural == plural)
    told = {"kind": kind.kind, "apiVersion": kind.api_version, "metadata": {}}
    return {**told, **body, "status": status}
