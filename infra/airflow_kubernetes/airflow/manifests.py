"""All objects of Airflow, and those of Celery for executors that use it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import chain

from ..broker.redis import redis_manifests
from ..kubernetes.manifest import Manifest
from ..kubernetes.rbac import Rule, ServiceAccount
from ..settings.schema import Settings
from .autoscaling import authentication_manifest
from .configuration import configuration_manifest
from .create_admin import create_admin_manifests
from .dag_processor import dag_processor_manifests
from .flower import flower_manifests
from .image_catalog import AIRFLOW, by_short_name, of_dag_code, of_task_pods
from .launched_pods import launched_pods_manifests
from .logs import logs_manifest
from .migrations import migrations_manifests
from .releases import RELEASES
from .scheduler import scheduler_manifests
from .sweep_pods import sweep_pods_manifests
from .task_images import task_images_manifest
from .task_pod import task_pod_manifests
from .triggerer import triggerer_manifests
from .web import web_manifests
from .workers import workers_manifests


def airflow_manifests(settings: Settings, images: Mapping[str, str]) -> Iterator[Manifest]:
    """What every executor has, the pods that tasks launch, and task pods for those that start them.

    `images` are the references of the images by name.
    """
    executor = RELEASES[settings.airflow.version].executor(settings.airflow.executor)
    image, with_dags = images[AIRFLOW], images[of_dag_code(settings)]
    of_tasks = images[of_task_pods(settings)]
    yield logs_manifest(settings)
    yield configuration_manifest(settings)
    yield task_images_manifest(settings, by_short_name(images))
    yield from launched_pods_manifests(settings)
    if executor.kubernetes:
        yield from task_pod_manifests(settings, of_tasks)
        yield from sweep_pods_manifests(settings, image)
    if not settings.airflow.stopped:
        yield from migrations_manifests(settings, image)
        yield from create_admin_manifests(settings, image)
    yield from web_manifests(settings, image)
    yield from scheduler_manifests(settings, with_dags if executor.local else image)
    yield from dag_processor_manifests(settings, with_dags, image, of_tasks)
    yield from triggerer_manifests(settings, with_dags)
    if settings.airflow.keda.enabled:
        yield authentication_manifest(settings)


def celery_manifests(settings: Settings, images: Mapping[str, str]) -> Iterator[Manifest]:
    """The broker, if it is in the cluster, the workers and Flower.

    `images` are the references of the images by name.
    """
    if settings.broker.mode == "cluster":
        yield from redis_manifests(settings)
    yield from workers_manifests(settings, images[of_dag_code(settings)], images[AIRFLOW])
    yield from flower_manifests(settings, images[AIRFLOW])


def granted(settings: Settings, component: str) -> list[Rule]:
    """The rules of the Role that these objects give to a component; none without a Role."""
    executor = RELEASES[settings.airflow.version].executor(settings.airflow.executor)
    images: Mapping[str, str] = defaultdict(str)
    celery = celery_manifests(settings, images) if executor.celery else ()
    name = ServiceAccount(component).name
    return [
        rule
        for obj in chain(airflow_manifests(settings, images), celery)
        if obj["kind"] == "Role" and obj["metadata"]["name"] == name
        for rule in obj["rules"]
    ]
