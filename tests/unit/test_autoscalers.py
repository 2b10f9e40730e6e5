"""What commands do about autoscalers, and how they refuse a cluster without KEDA."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from airflow_kubernetes.airflow.autoscaling import PAUSED
from airflow_kubernetes.cli import autoscalers
from airflow_kubernetes.cli.target import Target
from airflow_kubernetes.environment import load
from airflow_kubernetes.errors import CommandError
from airflow_kubernetes.kubectl.client import Kubectl, KubectlError

WORKER, TRIGGERER = "airflow-worker-default", "airflow-triggerer"
CELERY = "airflow.executor=CeleryExecutor airflow.celery.workers.default.maxReplicas=3"
KEDA = "airflow.keda.enabled=true"


class Cluster(Kubectl):
    """A cluster with these autoscalers, or one whose API server answers with an error."""

    def __init__(self, *objects: dict[str, Any], error: str = "") -> None:
        super().__init__("somewhere", "airflow")
        object.__setattr__(self, "objects", objects)
        object.__setattr__(self, "error", error)
        object.__setattr__(self, "calls", [])

    def get(self, *args: str) -> list[dict[str, Any]]:
        kind = args[0].partition(".")[0].removesuffix("s")
        return [obj for obj in cast(Any, self).objects if obj["kind"].lower() == kind]

    def run(self, *args: str, **_: Any) -> str:
        if error := cast(Any, self).error:
            raise KubectlError(error)
        cast(Any, self).calls.append(" ".join(args))
        return ""


def obj(kind: str, name: str, **metadata: Any) -> dict[str, Any]:
    spec = {"scaleTargetRef": {"name": name}, "minReplicas": 2}
    return {"kind": kind, "metadata": {"name": name, **metadata}, "spec": spec}


def target(cluster: Kubectl, overrides: str) -> Target:
    settings = load("dev", overrides)
    found = SimpleNamespace(
        environment="dev", overrides=overrides, settings=settings, kubectl=cluster
    )
    return cast(Target, found)


def calls(cluster: Kubectl) -> list[str]:
    return cast(list[str], cast(Any, cluster).calls)


def test_a_cluster_without_keda_is_refused_with_what_to_install() -> None:
    missing = Cluster(error="kubectl get: Error from server (NotFound): could not find it")
    autoscalers.require_keda(target(missing, CELERY))
    with pytest.raises(CommandError) as failure:
        autoscalers.require_keda(target(missing, f"{CELERY} {KEDA}"))
    message = str(failure.value)
    assert "the cluster of context somewhere has no KEDA (the API keda.sh/v1alpha1)" in message
    assert "Install KEDA (https://keda.sh" in message
    assert "airflow.keda.enabled: false in values/dev.yaml" in message
    autoscalers.require_keda(target(Cluster(), f"{CELERY} {KEDA}"))


def test_a_cluster_that_does_not_answer_is_not_one_without_keda() -> None:
    with pytest.raises(KubectlError, match="refused"):
        autoscalers.require_keda(target(Cluster(error="connection refused"), f"{CELERY} {KEDA}"))


def test_what_keda_replaces_goes_before_and_what_it_made_stays() -> None:
    cluster = Cluster(
        obj("HorizontalPodAutoscaler", WORKER),
        obj("HorizontalPodAutoscaler", f"keda-hpa-{WORKER}", ownerReferences=[{}]),
        obj("ScaledObject", WORKER),
        obj("ScaledObject", TRIGGERER),
    )
    autoscalers.hand_over(target(cluster, f"{CELERY} {KEDA}"))
    assert calls(cluster) == [
        f"delete --ignore-not-found HorizontalPodAutoscaler/{WORKER}",
        f"delete --ignore-not-found ScaledObject/{TRIGGERER}",
    ]


def test_keda_goes_before_it_could_stop_the_last_worker() -> None:
    cluster = Cluster(
        obj("ScaledObject", WORKER), obj("HorizontalPodAutoscaler", "k", ownerReferences=[{}])
    )
    autoscalers.hand_over(target(cluster, CELERY))
    assert calls(cluster) == [f"delete --ignore-not-found ScaledObject/{WORKER}"]


def test_keda_starts_nothing_while_a_release_changes() -> None:
    cluster = Cluster(obj("ScaledObject", WORKER))
    autoscalers.pause(target(cluster, CELERY))
    autoscalers.resume(target(cluster, CELERY))
    command = f"annotate --overwrite scaledobjects.keda.sh/{WORKER} {PAUSED}"
    assert calls(cluster) == [f"{command}=0", f"{command}-"]


def test_kubernetes_own_autoscalers_alone_need_a_first_replica() -> None:
    cluster = Cluster(
        obj("HorizontalPodAutoscaler", WORKER),
        obj("HorizontalPodAutoscaler", "k", ownerReferences=[{}]),
    )
    assert autoscalers.minimum(target(cluster, CELERY)) == {WORKER: 2}
