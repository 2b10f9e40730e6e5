"""Good and bad values of what any pod may have (settings/schema/pods.py): see value_tables.py."""

from typing import Any

from .value_tables import DNS_253, LABEL_KEYS_BAD, LABEL_KEYS_GOOD, LONG

RESOURCES = {
    kind: {"cpu": "10m", "memory": "32Mi"} for kind in ("requests", "limits")
}  # fmt: skip
INIT: dict[str, Any] = {"name": "x", "image": "busybox:1", "resources": RESOURCES}
PROBE: dict[str, Any] = {"tcpSocket": {"port": 1}}
PROBES = dict.fromkeys(("startupProbe", "readinessProbe", "livenessProbe"), PROBE)
SIDECAR: dict[str, Any] = {**INIT, **PROBES}


def _without(mapping: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in mapping.items() if name != key}


LABELS_GOOD = [
    *LABEL_KEYS_GOOD, "azure.workload.identity/use", "app.kubernetes.io/instance", "tier",
]  # fmt: skip
LABELS_BAD = [
    *LABEL_KEYS_BAD, "app.kubernetes.io/name", "app.kubernetes.io/component",
    "app.kubernetes.io/version", "dag_id", "airflow-worker", "pod-template-hash", "job-name",
    "batch.kubernetes.io/job-name", "airflow-kubernetes/protected",
]  # fmt: skip
ANNOTATIONS_GOOD = [
    *LABEL_KEYS_GOOD, "Example.com/a", "cluster-autoscaler.kubernetes.io/safe-to-evict",
]  # fmt: skip
ANNOTATIONS_BAD = [
    *(key for key in LABEL_KEYS_BAD if key != "A.b/c"), "airflow-kubernetes/config",
]  # fmt: skip
ENV_GOOD: list[Any] = [
    "", "x", {"secret": "s", "key": "k"}, {"configMap": "c.d", "key": "a.b_c-D"},
    *({"field": f"status.{name}"} for name in ("hostIP", "hostIPs", "podIP", "podIPs")),
    *({"field": f"metadata.{name}"} for name in ("name", "namespace", "uid")),
    {"field": "spec.nodeName"}, {"field": "spec.serviceAccountName"},
]  # fmt: skip
ENV_BAD: list[Any] = [
    {}, {"secret": "s"}, {"key": "k"}, {"secret": "s", "configMap": "c", "key": "k"},
    {"secret": "s", "key": ""}, {"secret": "s", "key": ".."}, {"secret": "s", "key": "."},
    {"secret": "s", "key": "..a"}, {"secret": "s", "key": "a/b"}, {"secret": "S", "key": "k"},
    {"secret": "s", "key": "k" * 254}, {"field": "spec.nodeName", "key": "k"},
    {"field": "status.phase"}, {"field": "metadata.labels"}, {"secret": "s", "key": 1},
    {"secret": "airflow-keys", "key": "fernet-key"}, {"secret": "s", "key": "k", "optional": True},
    {"secretKeyRef": {"name": "s", "key": "k"}}, 3, 1.5, None, True, ["x"],
]  # fmt: skip
ENV_FROM_GOOD: list[Any] = [
    [], [{"secret": "s"}], [{"configMap": "c", "prefix": "A_", "optional": True}],
    [{"secret": "s"}, {"secret": "t"}],
]  # fmt: skip
ENV_FROM_BAD: list[Any] = [
    [{}], [{"secret": "s", "configMap": "c"}], [{"secret": "s", "prefix": ""}],
    [{"secret": "s", "prefix": "1"}], [{"secret": "s", "prefix": "A-"}], [{"secret": "S"}],
    [{"secret": "airflow-admin"}], [{"secretRef": {"name": "s"}}], ["s"], {"secret": "s"}, None,
    [{"secret": "s", "optional": "yes"}],
]  # fmt: skip
SUB_PATHS_GOOD = ["a", "a/b", "a b", "é", ".a", "a/", "...", "config.yaml"]
SUB_PATHS_BAD = ["", "/", "/a", "..", "../a", "a/../b", "a\n", "a\x00"]
DRIVERS_GOOD = ["secrets-store.csi.k8s.io", "ebs", "CSI.example.com", "a" * 63]
DRIVERS_BAD = ["", "a_b", "-a", "a-", "a..b", "a b", "a/b", LONG, "a\n"]
SOURCES_GOOD: list[Any] = [
    {"configMap": "c"}, {"secret": "s"}, {"claim": "c"}, {"emptyDir": "1Gi"},
    {"projected": [{"secret": "s"}, {"configMap": "c"}]},
    {"projected": [{"serviceAccountToken": {"audience": "vault", "path": "token"}}]},
    {"projected": [{"serviceAccountToken": {"audience": "a", "path": "a/b",
                                            "expirationSeconds": 600}}]},
    {"csi": {"driver": "secrets-store.csi.k8s.io", "volumeAttributes": {"a": "b"}}},
    {"csi": {"driver": "d", "fsType": "ext4", "nodePublishSecretRef": "s"}},
]  # fmt: skip
SOURCES_BAD: list[Any] = [
    {}, {"configMap": "c", "csi": {"driver": "d"}}, {"projected": []}, {"projected": [{}]},
    {"projected": [{"secret": "s", "configMap": "c"}]}, {"projected": [{"secret": "airflow-keys"}]},
    {"projected": [{"serviceAccountToken": {"audience": "", "path": "a"}}]},
    {"projected": [{"serviceAccountToken": {"path": "a"}}]},
    {"projected": [{"serviceAccountToken": {"audience": "a", "path": "/a"}}]},
    {"projected": [{"serviceAccountToken": {"audience": "a", "path": "../a"}}]},
    {"projected": [{"serviceAccountToken": {"audience": "a", "path": "a",
                                            "expirationSeconds": 599}}]},
    {"projected": {"sources": []}}, {"csi": {}}, {"csi": {"driver": "d", "readOnly": True}},
    {"csi": {"driver": "d", "nodePublishSecretRef": {"name": "s"}}},
    {"csi": {"driver": "d", "nodePublishSecretRef": "airflow-mysql"}},
    {"csi": {"driver": "d", "volumeAttributes": {"a": 1}}}, {"hostPath": "/"}, {"nfs": "a"},
    {"emptyDir": {}},
]  # fmt: skip
MOUNTS_OF_VOLUMES_GOOD: list[Any] = [
    [], [{"name": "v", "mountPath": "/a"}],
    [{"name": "v", "mountPath": "/a", "subPath": "x", "readOnly": False},
     {"name": "v", "mountPath": "/b", "subPath": "y"}],
    [{"name": "v", "mountPath": "/d/inside"}], [{"name": "v", "mountPath": "/etc/app.yaml"}],
]  # fmt: skip
MOUNTS_OF_VOLUMES_BAD: list[Any] = [
    [{"name": "w", "mountPath": "/a"}], [{"name": "logs", "mountPath": "/a"}],
    [{"name": "v"}], [{"mountPath": "/a"}], [{"name": "v", "mountPath": "/d"}],
    [{"name": "v", "mountPath": "/a"}, {"name": "v", "mountPath": "/a/"}],
    [{"name": "v", "mountPath": "/tmp/a"}], [{"name": "v", "mountPath": "/proc"}],
    [{"name": "v", "mountPath": "/a", "subPath": "../b"}], [{"name": "v", "mountPath": "/etc"}],
    [{"name": "v", "mountPath": "/a", "mountPropagation": "Bidirectional"}],
]  # fmt: skip
"""Mounts of a volume `v`, which is at /d."""


def _node(**requirement: Any) -> dict[str, Any]:
    terms = [{"matchExpressions": [{"key": "a", **requirement}]}]
    required = {"nodeSelectorTerms": terms}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}


def _pods(*terms: Any, kind: str = "podAntiAffinity") -> dict[str, Any]:
    return {kind: {"requiredDuringSchedulingIgnoredDuringExecution": list(terms)}}


def _preferred(weight: Any, **term: Any) -> dict[str, Any]:
    return {"podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
        {"weight": weight, "podAffinityTerm": term}
    ]}}  # fmt: skip


HOST = "kubernetes.io/hostname"
SELECTOR = {"matchLabels": {"a": "b"}}
AFFINITIES_GOOD: list[Any] = [
    None, {}, {"nodeAffinity": {}}, _node(operator="Exists"), _node(operator="DoesNotExist"),
    _node(operator="In", values=["a", ""]), _node(operator="NotIn", values=["a"]),
    _node(operator="Gt", values=["4"]), _node(operator="Lt", values=["0"]),
    {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
        {"weight": 1, "preference": {"matchExpressions": [{"key": "a", "operator": "Exists"}]}},
        {"weight": 100, "preference": {"matchExpressions": [{"key": "a", "operator": "Exists"}]}},
    ]}},
    _pods({"labelSelector": SELECTOR, "topologyKey": HOST}),
    _pods({"labelSelector": {}, "topologyKey": HOST, "namespaces": ["a"]}, kind="podAffinity"),
    _pods({"labelSelector": {"matchExpressions": [{"key": "a", "operator": "Exists"}]},
           "topologyKey": HOST, "namespaceSelector": {}}),
    _preferred(50, labelSelector=SELECTOR, topologyKey=HOST),
]  # fmt: skip
AFFINITIES_BAD: list[Any] = [
    _node(operator="Exists", values=["a"]), _node(operator="In"), _node(operator="In", values=[]),
    _node(operator="NotIn"), _node(operator="DoesNotExist", values=["a"]), _node(operator="in"),
    _node(operator="Gt"), _node(operator="Gt", values=["a"]), _node(operator="Gt", values=["1.5"]),
    _node(operator="Lt", values=["1", "2"]), _node(operator="Equal", values=["a"]), _node(),
    _node(operator="In", values=["a b"]), _node(key="a/b/c", operator="Exists"),
    {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}}},
    {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution":
        {"nodeSelectorTerms": [{"matchExpressions": []}]}}},
    {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
        {"weight": 0, "preference": {"matchExpressions": [{"key": "a", "operator": "Exists"}]}}]}},
    {"nodeAffinty": {}}, _pods({"labelSelector": SELECTOR}), _pods({"topologyKey": HOST}),
    _pods({"labelSelector": SELECTOR, "topologyKey": ""}),
    _pods({"labelSelector": {"matchExpressions": [{"key": "a", "operator": "Gt",
                                                   "values": ["1"]}]}, "topologyKey": HOST}),
    _pods({"labelSelector": {"matchLabels": {"a": "b c"}}, "topologyKey": HOST}),
    _pods({"labelSelector": SELECTOR, "topologyKey": HOST, "namespaces": ["A"]}),
    _preferred(101, labelSelector=SELECTOR, topologyKey=HOST),
    _preferred("1", labelSelector=SELECTOR, topologyKey=HOST), [], "x",
]  # fmt: skip
SPREAD: dict[str, Any] = {
    "maxSkew": 1, "topologyKey": HOST, "whenUnsatisfiable": "ScheduleAnyway",
}  # fmt: skip
STRICT = SPREAD | {"whenUnsatisfiable": "DoNotSchedule"}
SPREADS_GOOD: list[Any] = [
    None, [], [SPREAD], [SPREAD, STRICT], [SPREAD, SPREAD | {"topologyKey": "zone"}],
    [STRICT | {"minDomains": 2}], [SPREAD | {"labelSelector": SELECTOR}],
    [SPREAD | {"matchLabelKeys": ["pod-template-hash"]}],
    [SPREAD | {"nodeAffinityPolicy": "Honor", "nodeTaintsPolicy": "Ignore"}],
]  # fmt: skip
SPREADS_BAD: list[Any] = [
    [SPREAD | {"maxSkew": 0}], [SPREAD | {"maxSkew": "1"}], [SPREAD | {"topologyKey": ""}],
    [SPREAD | {"whenUnsatisfiable": "Never"}], [SPREAD | {"minDomains": 2}],
    [STRICT | {"minDomains": 0}], [SPREAD, SPREAD], [SPREAD | {"nodeTaintsPolicy": "honor"}],
    [SPREAD | {"labelSelector": SELECTOR, "matchLabelKeys": ["a"]}],
    [SPREAD | {"matchLabelKeys": ["app.kubernetes.io/name"]}], SPREAD, [SPREAD | {"a": 1}],
]  # fmt: skip
ALIASES_GOOD: list[Any] = [
    None, [], [{"ip": "10.0.0.5", "hostnames": ["db", "db.example.com"]}],
    [{"ip": "2001:db8::5", "hostnames": ["a"]}, {"ip": "10.0.0.5", "hostnames": ["a"]}],
]  # fmt: skip
ALIASES_BAD: list[Any] = [
    [{"ip": "10.0.0.5"}], [{"ip": "10.0.0.5", "hostnames": []}],
    [{"ip": "10.0.0", "hostnames": ["a"]}], [{"ip": "10.0.0.256", "hostnames": ["a"]}],
    [{"ip": "db", "hostnames": ["a"]}], [{"ip": "", "hostnames": ["a"]}],
    [{"ip": "fe80::1%eth0", "hostnames": ["a"]}], [{"ip": "010.0.0.1", "hostnames": ["a"]}],
    [{"ip": "::ffff:10.0.0.1", "hostnames": ["a"]}], [{"ip": "10.0.0.5/32", "hostnames": ["a"]}],
    [{"ip": "10.0.0.5", "hostnames": ["A"]}], [{"ip": "10.0.0.5", "hostnames": ["a_b"]}],
    [{"ip": "10.0.0.5", "hostnames": "a"}],
    [{"ip": "10.0.0.5", "hostnames": ["a"]}, {"ip": "10.0.0.5", "hostnames": ["b"]}],
]  # fmt: skip
DNS_GOOD: list[Any] = [
    None, {}, {"nameservers": ["10.0.0.10", "2001:db8::1"]},
    {"searches": ["example.com", "_tcp.example.com", "a.", "."]},
    {"options": [{"name": "ndots", "value": "2"}, {"name": "edns0"}]},
    {"searches": ["a"] * 32},
]  # fmt: skip
DNS_BAD: list[Any] = [
    {"nameservers": ["10.0.0.1"] * 4}, {"nameservers": ["dns"]}, {"nameservers": [""]},
    {"searches": ["a"] * 33}, {"searches": ["A"]}, {"searches": [""]}, {"searches": ["a b"]},
    {"searches": ["a.."]}, {"searches": [DNS_253] * 9}, {"options": [{"value": "2"}]},
    {"options": [{"name": ""}]}, {"options": [{"name": "ndots", "value": 2}]},
    {"options": ["ndots:2"]}, {"dnsPolicy": "None"}, [],
]  # fmt: skip
LIFECYCLES_GOOD: list[Any] = [
    None, {}, {"preStop": {"exec": {"command": ["sleep", "5"]}}},
    {"postStart": {"httpGet": {"path": "/", "port": 8080, "scheme": "HTTPS"}}},
]  # fmt: skip
LIFECYCLES_BAD: list[Any] = [
    {"preStop": {}}, {"preStop": {"exec": {"command": []}}}, {"preStop": {"exec": {}}},
    {"preStop": {"exec": {"command": "true"}}}, {"preStop": {"tcpSocket": {"port": 1}}},
    {"preStop": {"exec": {"command": ["a"]}, "httpGet": {"path": "/", "port": 1}}},
    {"preStop": {"httpGet": {"path": "/"}}}, {"preStop": {"httpGet": {"path": "/", "port": 0}}},
    {"preStop": {"httpGet": {"path": "/", "port": 65536}}},
    {"preStop": {"httpGet": {"path": "a", "port": 1}}},
    {"preStop": {"httpGet": {"path": "/", "port": 1, "host": "example.com"}}},
    {"preStop": {"httpGet": {"path": "/", "port": 1, "scheme": "https"}}}, {"prestop": {}},
]  # fmt: skip
INITS_GOOD: list[Any] = [
    [], [INIT], [INIT, INIT | {"name": "y"}],
    [INIT | {"command": ["a"], "args": ["b"], "env": {"A": "b", "C": {"field": "spec.nodeName"}},
             "envFrom": [{"secret": "s"}], "securityContext": {"runAsUser": 65532}}],
    [INIT | {"volumeMounts": [{"name": "logs", "mountPath": "/logs"}]}],
]  # fmt: skip
INITS_BAD: list[Any] = [
    [_without(INIT, "name")], [_without(INIT, "image")], [_without(INIT, "resources")],
    [INIT | {"resources": {"requests": RESOURCES["requests"]}}], [INIT, INIT],
    [INIT | {"name": "scheduler"}], [INIT | {"name": "base"}], [INIT | {"name": "git-sync"}],
    [INIT | {"name": "wait-for-migrations"}], [INIT | {"name": "A"}], [INIT | {"image": "A"}],
    [INIT | {"securityContext": {"runAsUser": 0}}],
    [INIT | {"securityContext": {"runAsUser": 1, "privileged": True}}],
    [INIT | {"restartPolicy": "Always"}],
    [INIT | {"volumeMounts": [{"name": "no", "mountPath": "/a"}]}],
    [INIT | {"volumeMounts": [{"name": "logs", "mountPath": "/a"}] * 2}],
    [INIT | {"volumeMounts": [{"name": "logs", "mountPath": "/proc/a"}]}],
    [INIT | {"volumeMounts": [{"name": "tmp", "mountPath": "/a"}]}],
    [INIT | {"envFrom": [{"secret": "airflow-keys"}]}],
    [INIT | {"env": {"A": {"secret": "airflow-keys", "key": "jwt-secret"}}}],
    [INIT | {"command": "a"}], [INIT | {"resources": RESOURCES | {
        "requests": {"cpu": "2", "memory": "32Mi"}}}],
]  # fmt: skip
SIDECARS_GOOD: list[Any] = [
    [], [SIDECAR], [SIDECAR, SIDECAR | {"name": "y"}],
    [SIDECAR | {"lifecycle": {"preStop": {"exec": {"command": ["a"]}}}}],
    [SIDECAR | {"startupProbe": {"exec": {"command": ["a"]}, "periodSeconds": 1,
                                 "failureThreshold": 60, "timeoutSeconds": 1,
                                 "initialDelaySeconds": 0}}],
    [SIDECAR | {"livenessProbe": {"grpc": {"port": 1, "service": "a"}}}],
    [SIDECAR | {"readinessProbe": {"httpGet": {"path": "/", "port": 65535}}}],
]  # fmt: skip
SIDECARS_BAD: list[Any] = [
    [INIT | _without(PROBES, "startupProbe")], [INIT | _without(PROBES, "livenessProbe")],
    [INIT | _without(PROBES, "readinessProbe")], [_without(SIDECAR, "resources")],
    [SIDECAR, SIDECAR], [SIDECAR | {"name": "api-server"}],
    [SIDECAR | {"livenessProbe": {}}],
    [SIDECAR | {"livenessProbe": PROBE | {"grpc": {"port": 1}}}],
    [SIDECAR | {"livenessProbe": PROBE | {"periodSeconds": 0}}],
    [SIDECAR | {"livenessProbe": PROBE | {"successThreshold": 2}}],
    [SIDECAR | {"livenessProbe": {"tcpSocket": {"port": "http"}}}],
    [SIDECAR | {"livenessProbe": {"tcpSocket": {"port": 1, "host": "a"}}}],
    [SIDECAR | {"ports": [{"hostPort": 1}]}],
]  # fmt: skip
NAMES_OF_SECRETS_GOOD: list[Any] = [[], ["a"], ["a", "b.c"]]
NAMES_OF_SECRETS_BAD: list[Any] = [
    ["A"], [""], ["a", "a"], ["airflow-registry"], ["airflow-keys"], [{"name": "a"}], "a", None,
]  # fmt: skip
