"""Pods as values: where parts go, and what the manifest leaves out."""

from dataclasses import replace

from airflow_kubernetes.kubernetes.pod import Container, Parts, Placement, Pod, scratch, volume
from airflow_kubernetes.kubernetes.rbac import ServiceAccount
from airflow_kubernetes.settings.schema import Quantities, Resources, Toleration

SMALL = Quantities(cpu="1", memory="1Gi")
MAIN = Container("main", "image", Resources(requests=SMALL, limits=SMALL), env=({"name": "A"},))
TOLERATION = {"key": "a", "operator": "Equal", "effect": "NoExecute", "tolerationSeconds": 5}
POD = Pod("web", ServiceAccount("web"), MAIN, Parts(), user=1, group=2, pull_secret=None)


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


def test_placement_has_kubernetes_keys() -> None:
    placement = Placement({"disk": "ssd"}, [Toleration.model_validate(TOLERATION)])
    spec = replace(POD, placement=placement).template()["spec"]
    assert spec["nodeSelector"] == {"disk": "ssd"}
    assert spec["tolerations"] == [TOLERATION]
