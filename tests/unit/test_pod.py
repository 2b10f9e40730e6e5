"""Pods as values: where parts go, and what the manifest leaves out."""

from dataclasses import replace
from typing import Any

from airflow_kubernetes.kubernetes.manifest import selector
from airflow_kubernetes.kubernetes.pod import (
    EVICTION,
    SPREAD,
    Container,
    Extras,
    Parts,
    Pod,
    scratch,
    volume,
)
from airflow_kubernetes.kubernetes.rbac import ServiceAccount
from airflow_kubernetes.settings.schema import Quantities, Resources

SMALL = Quantities(cpu="1", memory="1Gi")
MAIN = Container("main", "image", Resources(requests=SMALL, limits=SMALL), env=({"name": "A"},))
POD = Pod("web", ServiceAccount("web"), MAIN, Parts(), user=1, group=2)


def test_parts_are_added_in_order() -> None:
    init, sidecar = replace(MAIN, name="init"), replace(MAIN, name="sidecar")
    parts = (
        scratch("tmp", "/tmp", "1Gi")
        + Parts(env=({"name": "B"},), init=(init,), sidecars=(sidecar,))
        + volume("files", "/files", {"configMap": {"name": "c"}}, readOnly=True)
    )
    spec = replace(POD, parts=parts).template()["spec"]
    assert [volume["name"] for volume in spec["volumes"]] == ["tmp", "files"]
    assert [container["name"] for container in spec["initContainers"]] == ["init"]
    main, beside = spec["containers"]
    assert (main["name"], beside["name"]) == ("main", "sidecar")
    assert main["env"] == [{"name": "A"}, {"name": "B"}]
    assert main["volumeMounts"] == [
        {"name": "tmp", "mountPath": "/tmp"},
        {"name": "files", "mountPath": "/files", "readOnly": True},
    ]
    # Variables and mounts are the main container's; others have their own.
    assert (beside["env"], beside["volumeMounts"]) == ([{"name": "A"}], [])


def test_variables_of_parts_reach_a_container_without_its_own() -> None:
    parts = Parts(env=({"name": "B"},))
    assert parts.of(replace(MAIN, env=None)).manifest()["env"] == [{"name": "B"}]


def test_none_is_left_out_and_an_empty_list_is_not() -> None:
    assert "env" not in replace(MAIN, env=None).manifest()
    assert replace(MAIN, env=()).manifest()["env"] == []
    template = POD.template()
    absent = {"initContainers", "imagePullSecrets", "nodeSelector", "tolerations", "restartPolicy"}
    assert not absent & template["spec"].keys()


def test_rules_bring_a_role_and_a_token() -> None:
    rules = ({"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]},)
    for account in (ServiceAccount("web"), ServiceAccount("web", rules)):
        kinds = {obj["kind"] for obj in account.manifests("namespace")}
        assert ("Role" in kinds) == bool(account.rules)
        spec = replace(POD, account=account).template()["spec"]
        assert spec["serviceAccountName"] == "airflow-web"
        assert spec["automountServiceAccountToken"] == bool(account.rules)


def test_extras_go_around_what_the_pod_has() -> None:
    """A side-car first, which the pod's own init containers may need; sources of variables too,
    so that the pod's own take precedence.
    """
    proxy, own, last = (replace(MAIN, name=name) for name in ("proxy", "own", "last"))
    source, mine = ({"configMapRef": {"name": name}} for name in ("own", "mine"))
    extras = Extras(
        first=Parts(env_from=(mine,), init=(proxy,)),
        last=Parts(env=({"name": "B"},), init=(last,)),
        labels={"team": "data"},
        annotations={"a": "mine"},
        fields={"priorityClassName": "high"},
        lifecycle={"preStop": {"exec": {"command": ["true"]}}},
    )
    pod = replace(
        POD,
        container=replace(MAIN, env_from=(source,)),
        parts=Parts(init=(own,)),
        annotations={"a": "own", "b": "own"},
        extras=extras,
    ).template()
    spec, main = pod["spec"], pod["spec"]["containers"][0]
    assert [container["name"] for container in spec["initContainers"]] == ["proxy", "own", "last"]
    assert main["envFrom"] == [mine, source]
    assert main["env"] == [{"name": "A"}, {"name": "B"}]
    assert main["lifecycle"] == extras.lifecycle
    assert spec["priorityClassName"] == "high"
    assert pod["metadata"]["labels"] == {"team": "data", **POD.template()["metadata"]["labels"]}
    assert pod["metadata"]["annotations"] == EVICTION[False] | {"a": "mine", "b": "own"}


def test_replicas_are_spread_unless_the_values_say_how() -> None:
    def spread(extras: Extras, *, replicated: bool = True) -> Any:
        spec = replace(POD, extras=extras).template(replicated=replicated)["spec"]
        return spec.get("topologySpreadConstraints")

    own = {"matchLabels": selector("web")}
    (constraint,) = spread(Extras())
    assert (constraint["topologyKey"], constraint["labelSelector"]) == (SPREAD["topologyKey"], own)
    assert spread(Extras(), replicated=False) is None
    assert spread(Extras(spread=[])) is None
    zones = {"topologyKey": "zone", "maxSkew": 2}
    for replicated in (True, False):
        found = spread(Extras(spread=[zones]), replicated=replicated)
        assert found == [{"labelSelector": own, **zones}]
    others = {**zones, "labelSelector": {"matchLabels": {"a": "b"}}}
    assert spread(Extras(spread=[others])) == [others]
