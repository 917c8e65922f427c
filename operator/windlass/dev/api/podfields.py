"""The fields of a pod, so that a misspelt one is an error: types and names only, the limits are checked elsewhere."""

from __future__ import annotations

from typing import Any, Final

Schema = dict[str, Any]

TEXT: Final[Schema] = {"type": "string"}
WHOLE: Final[Schema] = {"type": "integer"}
FLAG: Final[Schema] = {"type": "boolean"}
ANY: Final[Schema] = {"x-kubernetes-preserve-unknown-fields": True}
QUANTITY: Final[Schema] = {"x-kubernetes-int-or-string": True}
TEXTS: Final[Schema] = {"type": "array", "nullable": True, "items": TEXT}
BY_TEXT: Final[Schema] = {"type": "object", "nullable": True, "additionalProperties": TEXT}


def fields(*, texts: str = "", wholes: str = "", flags: str = "", anything: str = "", **parts: Schema) -> Schema:
    """An object with these fields; names are parted by blanks."""
    properties = {
        **dict.fromkeys(texts.split(), TEXT),
        **dict.fromkeys(wholes.split(), WHOLE),
        **dict.fromkeys(flags.split(), FLAG),
        **dict.fromkeys(anything.split(), ANY),
        **parts,
    }
    return {
        "type": "object",
        "nullable": True,
        "properties": {name: {**part, "nullable": True} for name, part in properties.items()},
    }


def every(item: Schema) -> Schema:
    return {"type": "array", "nullable": True, "items": item}


KEY: Final = fields(texts="name key", flags="optional")
FIELD_REF: Final = fields(texts="apiVersion fieldPath")
RESOURCE_REF: Final = fields(texts="containerName resource", divisor=QUANTITY)
ENV: Final = fields(
    texts="name value",
    valueFrom=fields(
        fieldRef=FIELD_REF,
        resourceFieldRef=RESOURCE_REF,
        configMapKeyRef=KEY,
        secretKeyRef=KEY,
        fileKeyRef=fields(texts="volumeName path key", flags="optional"),
    ),
)
SOURCE: Final = fields(texts="name", flags="optional")
ENV_FROM: Final = fields(texts="prefix", configMapRef=SOURCE, secretRef=SOURCE)
RESOURCES: Final = fields(
    limits={"type": "object", "additionalProperties": QUANTITY},
    requests={"type": "object", "additionalProperties": QUANTITY},
    claims=every(fields(texts="name request")),
)
MOUNT: Final = fields(texts="name mountPath subPath subPathExpr mountPropagation recursiveReadOnly", flags="readOnly")
PORT: Final = fields(texts="name protocol hostIP", wholes="containerPort hostPort")
SELINUX: Final = fields(texts="user role type level")
WINDOWS: Final = fields(texts="gmsaCredentialSpecName gmsaCredentialSpec runAsUserName", flags="hostProcess")
PROFILE: Final = fields(texts="type localhostProfile")
HANDLER: Final[dict[str, Schema]] = {
    "exec": fields(command=TEXTS),
    "httpGet": fields(texts="path host scheme", port=QUANTITY, httpHeaders=every(fields(texts="name value"))),
    "tcpSocket": fields(texts="host", port=QUANTITY),
}
PROBE: Final = fields(
    wholes="initialDelaySeconds timeoutSeconds periodSeconds successThreshold failureThreshold "
    "terminationGracePeriodSeconds",
    grpc=fields(texts="service", wholes="port"),
    **HANDLER,  # type: ignore[arg-type]  # its keys are not those of the texts
)
HOOK: Final = fields(sleep=fields(wholes="seconds"), **HANDLER)  # type: ignore[arg-type]  # as above
CONTAINER: Final = fields(
    texts="name image workingDir imagePullPolicy terminationMessagePath terminationMessagePolicy restartPolicy",
    flags="stdin stdinOnce tty",
    command=TEXTS,
    args=TEXTS,
    env=every(ENV),
    envFrom=every(ENV_FROM),
    ports=every(PORT),
    resources=RESOURCES,
    resizePolicy=every(fields(texts="resourceName restartPolicy")),
    restartPolicyRules=every(ANY),
    volumeMounts=every(MOUNT),
    volumeDevices=every(fields(texts="name devicePath")),
    livenessProbe=PROBE,
    readinessProbe=PROBE,
    startupProbe=PROBE,
    lifecycle=fields(texts="stopSignal", postStart=HOOK, preStop=HOOK),
    securityContext=fields(
        texts="procMount",
        wholes="runAsUser runAsGroup",
        flags="privileged runAsNonRoot readOnlyRootFilesystem allowPrivilegeEscalation",
        capabilities=fields(add=TEXTS, drop=TEXTS),
        seLinuxOptions=SELINUX,
        windowsOptions=WINDOWS,
        seccompProfile=PROFILE,
        appArmorProfile=PROFILE,
    ),
)
ITEMS: Final = every(fields(texts="key path", wholes="mode"))
DOWNWARD: Final = every(fields(texts="path", wholes="mode", fieldRef=FIELD_REF, resourceFieldRef=RESOURCE_REF))
PROJECTED: Final = every(
    fields(
        anything="clusterTrustBundle podCertificate",
        configMap=fields(texts="name", flags="optional", items=ITEMS),
        secret=fields(texts="name", flags="optional", items=ITEMS),
        downwardAPI=fields(items=DOWNWARD),
        serviceAccountToken=fields(texts="audience path", wholes="expirationSeconds"),
    )
)
VOLUME: Final = fields(
    texts="name",
    anything="gcePersistentDisk awsElasticBlockStore gitRepo iscsi glusterfs rbd flexVolume cinder cephfs flocker fc "
    "azureFile vsphereVolume quobyte azureDisk photonPersistentDisk portworxVolume scaleIO storageos image",
    emptyDir=fields(texts="medium", sizeLimit=QUANTITY),
    hostPath=fields(texts="path type"),
    nfs=fields(texts="server path", flags="readOnly"),
    secret=fields(texts="secretName", wholes="defaultMode", flags="optional", items=ITEMS),
    configMap=fields(texts="name", wholes="defaultMode", flags="optional", items=ITEMS),
    persistentVolumeClaim=fields(texts="claimName", flags="readOnly"),
    projected=fields(wholes="defaultMode", sources=PROJECTED),
    downwardAPI=fields(wholes="defaultMode", items=DOWNWARD),
    csi=fields(
        texts="driver fsType", flags="readOnly", volumeAttributes=BY_TEXT, nodePublishSecretRef=fields(texts="name")
    ),
    ephemeral=fields(volumeClaimTemplate=fields(anything="metadata spec")),
)
TOLERATION: Final = fields(texts="key operator value effect", wholes="tolerationSeconds")
SELECTOR: Final = fields(matchLabels=BY_TEXT, matchExpressions=every(fields(texts="key operator", values=TEXTS)))
NODE_TERM: Final = fields(
    matchExpressions=every(fields(texts="key operator", values=TEXTS)),
    matchFields=every(fields(texts="key operator", values=TEXTS)),
)
POD_TERM: Final = fields(
    texts="topologyKey",
    labelSelector=SELECTOR,
    namespaces=TEXTS,
    namespaceSelector=SELECTOR,
    matchLabelKeys=TEXTS,
    mismatchLabelKeys=TEXTS,
)
POD_AFFINITY: Final = fields(
    requiredDuringSchedulingIgnoredDuringExecution=every(POD_TERM),
    preferredDuringSchedulingIgnoredDuringExecution=every(fields(wholes="weight", podAffinityTerm=POD_TERM)),
)
AFFINITY: Final = fields(
    nodeAffinity=fields(
        requiredDuringSchedulingIgnoredDuringExecution=fields(nodeSelectorTerms=every(NODE_TERM)),
        preferredDuringSchedulingIgnoredDuringExecution=every(fields(wholes="weight", preference=NODE_TERM)),
    ),
    podAffinity=POD_AFFINITY,
    podAntiAffinity=POD_AFFINITY,
)
SPEC: Final = fields(
    texts="restartPolicy dnsPolicy serviceAccountName serviceAccount nodeName hostname subdomain schedulerName "
    "priorityClassName runtimeClassName preemptionPolicy hostnameOverride",
    wholes="terminationGracePeriodSeconds activeDeadlineSeconds priority",
    flags="automountServiceAccountToken hostNetwork hostPID hostIPC shareProcessNamespace enableServiceLinks "
    "setHostnameAsFQDN hostUsers",
    anything="workloadRef",
    containers=every(CONTAINER),
    initContainers=every(CONTAINER),
    ephemeralContainers=every(ANY),
    volumes=every(VOLUME),
    nodeSelector=BY_TEXT,
    affinity=AFFINITY,
    tolerations=every(TOLERATION),
    imagePullSecrets=every(fields(texts="name")),
    hostAliases=every(fields(texts="ip", hostnames=TEXTS)),
    readinessGates=every(fields(texts="conditionType")),
    dnsConfig=fields(nameservers=TEXTS, searches=TEXTS, options=every(fields(texts="name value"))),
    overhead={"type": "object", "additionalProperties": QUANTITY},
    topologySpreadConstraints=every(
        fields(
            texts="topologyKey whenUnsatisfiable nodeAffinityPolicy nodeTaintsPolicy",
            wholes="maxSkew minDomains",
            labelSelector=SELECTOR,
            matchLabelKeys=TEXTS,
        )
    ),
    os=fields(texts="name"),
    schedulingGates=every(fields(texts="name")),
    resourceClaims=every(fields(texts="name resourceClaimName resourceClaimTemplateName")),
    resources=RESOURCES,
    securityContext=fields(
        texts="fsGroupChangePolicy supplementalGroupsPolicy seLinuxChangePolicy",
        wholes="runAsUser runAsGroup fsGroup",
        flags="runAsNonRoot",
        supplementalGroups=every(WHOLE),
        sysctls=every(fields(texts="name value")),
        seLinuxOptions=SELINUX,
        windowsOptions=WINDOWS,
        seccompProfile=PROFILE,
        appArmorProfile=PROFILE,
    ),
)
POD: Final = fields(anything="status", spec=SPEC)
