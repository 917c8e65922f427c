"""Conversations about many objects: selectors, pages, watches and tables."""

from __future__ import annotations

from support.conformance import MERGE, METADATA, TABLE, Ask
from support.conformance_bodies import (
    DELETE,
    GET,
    PATCH,
    POST,
    config_map,
    pod,
)

LISTS: dict[str, list[Ask]] = {
    "selectors": [
        Ask(POST, "configmaps", config_map("a", labels={"app": "x", "tier": "1", "set": "t"})),
        Ask(POST, "configmaps", config_map("b", labels={"app": "y", "set": "t"})),
        Ask(POST, "configmaps", config_map("c", labels={"set": "t"})),
        *(
            Ask(GET, "configmaps", query={"labelSelector": f"set=t,{selector}"})
            for selector in ("app=x", "app==y", "app!=x", "app", "!app", "app in (x,y)", "app notin (x)", "tier>0")
        ),
        Ask(GET, "configmaps", query={"labelSelector": "app in x"}, unlike=["message"]),
        Ask(GET, "configmaps", query={"labelSelector": "set=t", "fieldSelector": "metadata.name=b"}),
        Ask(GET, "configmaps", query={"labelSelector": "set=t", "fieldSelector": "metadata.name!=b"}),
        Ask(GET, "configmaps", query={"fieldSelector": "data.x=1"}, unlike=["message"]),
        Ask(GET, "pods", query={"fieldSelector": "status.phase=Running,spec.nodeName=n"}),
    ],
    "pages": [
        *(Ask(POST, "configmaps", config_map(name, labels={"set": "t"})) for name in ("a", "b", "c")),
        Ask(GET, "secrets", query={"limit": "2"}, unlike=["metadata.resourceVersion"]),
        Ask(GET, "configmaps", query={"labelSelector": "set=t", "limit": "2"}),
        Ask(GET, "configmaps", query={"labelSelector": "set=t", "limit": "2", "continue": "$5.metadata.continue"}),
        Ask(GET, "configmaps", query={"limit": "2", "continue": "nonsense"}, unlike=["message"]),
    ],
    "a collection is deleted": [
        *(Ask(POST, "configmaps", config_map(name, labels={"set": name})) for name in ("a", "b")),
        Ask(DELETE, "configmaps", query={"labelSelector": "set=a"}),
        Ask(GET, "configmaps", query={"labelSelector": "set"}, unlike=["metadata.resourceVersion"]),
    ],
    "a watch tells what happened since": [
        Ask(POST, "configmaps", config_map("a", {"x": "1"}, labels={"on": "y"})),
        Ask(PATCH, "configmaps/a", {"data": {"x": "2"}}, type=MERGE),
        Ask(PATCH, "configmaps/a", {"metadata": {"labels": {"on": "n"}}}, type=MERGE),
        Ask(PATCH, "configmaps/a", {"metadata": {"labels": {"on": "y"}}}, type=MERGE),
        Ask(DELETE, "configmaps/a"),
        Ask(
            GET,
            "configmaps",
            query={
                "watch": "true",
                "resourceVersion": "$1.metadata.resourceVersion",
                "timeoutSeconds": "1",
                "fieldSelector": "metadata.name=a",
            },
        ),
        Ask(
            GET,
            "configmaps",
            query={
                "watch": "true",
                "resourceVersion": "$1.metadata.resourceVersion",
                "timeoutSeconds": "1",
                "labelSelector": "on=y",
            },
        ),
    ],
    "a watch tells what is there": [
        Ask(POST, "configmaps", config_map("a", labels={"on": "y"})),
        Ask(GET, "configmaps", query={"watch": "true", "timeoutSeconds": "1", "labelSelector": "on=y"}),
        Ask(
            GET,
            "configmaps",
            query={"watch": "true", "timeoutSeconds": "1", "labelSelector": "on=y", "resourceVersion": "0"},
        ),
        Ask(
            GET,
            "configmaps",
            query={
                "watch": "true",
                "timeoutSeconds": "1",
                "labelSelector": "on=y",
                "sendInitialEvents": "true",
                "allowWatchBookmarks": "true",
                "resourceVersionMatch": "NotOlderThan",
            },
            unlike=["object.metadata.resourceVersion"],
        ),
    ],
    "tables": [
        Ask(POST, "configmaps", config_map("a", {"x": "1"}, labels={"set": "t"})),
        Ask(GET, "configmaps/a", accept=TABLE, unlike=["columnDefinitions.description"]),
        Ask(
            GET, "configmaps", query={"labelSelector": "set=t"}, accept=TABLE, unlike=["columnDefinitions.description"]
        ),
        Ask(
            GET,
            "configmaps",
            query={"labelSelector": "set=t", "includeObject": "None"},
            accept=TABLE,
            unlike=["columnDefinitions.description"],
        ),
        Ask(
            GET,
            "configmaps",
            query={"labelSelector": "set=t", "includeObject": "Object"},
            accept=TABLE,
            unlike=["columnDefinitions.description"],
        ),
        Ask(POST, "secrets", {"metadata": {"name": "s"}, "stringData": {"a": "b"}}),
        Ask(GET, "secrets/s", accept=TABLE, unlike=["columnDefinitions.description"]),
        Ask(GET, "/api/v1/namespaces/NAMESPACE", accept=TABLE, unlike=["columnDefinitions.description"]),
        Ask(GET, "configmaps", query={"labelSelector": "set=t"}, accept=METADATA, unlike=["metadata.resourceVersion"]),
    ],
    "the table of pods": [
        Ask(POST, "pods", pod("a")),
        Ask(GET, "pods/a", accept=TABLE, unlike=["columnDefinitions.description"]),
        *(
            answer
            for phase in (
                {
                    "phase": "Running",
                    "containerStatuses": [
                        {
                            "name": "main",
                            "ready": True,
                            "restartCount": 2,
                            "image": "i",
                            "imageID": "i",
                            "state": {"running": {}},
                        }
                    ],
                },
                {
                    "phase": "Pending",
                    "containerStatuses": [
                        {
                            "name": "main",
                            "ready": False,
                            "restartCount": 0,
                            "image": "i",
                            "imageID": "i",
                            "state": {"waiting": {"reason": "ImagePullBackOff"}},
                        }
                    ],
                },
                {
                    "phase": "Failed",
                    "containerStatuses": [
                        {
                            "name": "main",
                            "ready": False,
                            "restartCount": 0,
                            "image": "i",
                            "imageID": "i",
                            "state": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}},
                        }
                    ],
                },
                {"phase": "Failed", "reason": "Evicted", "containerStatuses": []},
                {
                    "phase": "Failed",
                    "reason": None,
                    "containerStatuses": [
                        {
                            "name": "main",
                            "ready": False,
                            "restartCount": 0,
                            "image": "i",
                            "imageID": "i",
                            "state": {"terminated": {"exitCode": 3}},
                        }
                    ],
                },
            )
            for answer in (
                Ask(PATCH, "pods/a/status", {"status": phase}, type=MERGE, unlike=["status.containerStatuses"]),
                Ask(GET, "pods/a", accept=TABLE, unlike=["columnDefinitions"]),
            )
        ),
    ],
}
