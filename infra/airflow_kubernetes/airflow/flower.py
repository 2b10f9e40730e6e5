"""Flower, Celery's monitor, behind basic authentication."""

from collections.abc import Iterator

from ..kubernetes.env import EnvVar, secret_env
from ..kubernetes.manifest import DO_NOT_AWAIT, Manifest, manifest, selector
from ..kubernetes.probes import Probes, http, probe
from ..kubernetes.rbac import ServiceAccount
from ..secrets import CELERY_SECRET, FLOWER_PASSWORD, existing
from ..settings.schema import Settings
from .configuration import FLOWER_LOGIN
from .deployment import deployment
from .pod import airflow_container, airflow_pod, rolled_by
from .releases import RELEASES

FLOWER_PORT = 5555


def flower_manifests(settings: Settings, image: str) -> Iterator[Manifest]:
    """Its service account, Deployment and Service."""
    component, values = RELEASES[settings.airflow.version].flower, settings.airflow.celery.flower
    account = ServiceAccount(component.name, values=values.service_account)
    # The only address that requires no password, and that reveals nothing.
    health = http("/healthcheck", FLOWER_PORT)
    container = airflow_container(
        settings,
        component.name,
        image,
        values.resources,
        component.args,
        component.secrets,
        env=_login(settings),
        ports={"http": FLOWER_PORT},
        probes=Probes(
            startup=probe(health, period=2, failures=90),
            liveness=probe(health, period=30, failures=5),
            readiness=probe(health, period=10, failures=3),
        ),
    )
    pod = airflow_pod(
        settings,
        account,
        container,
        values,
        annotations=rolled_by(settings),
        shared_logs=False,
        evictable=True,
    )
    yield from account.manifests(settings.namespace)
    yield deployment(settings, pod, 1)
    yield manifest(
        "v1",
        "Service",
        account.name,
        settings.namespace,
        component.name,
        annotations=DO_NOT_AWAIT,
        spec={
            "selector": selector(component.name),
            "ports": [{"name": "http", "port": FLOWER_PORT, "targetPort": FLOWER_PORT}],
        },
    )


def _login(settings: Settings) -> tuple[EnvVar, ...]:
    """User and password: Airflow's first user's name, and a generated one, or an existing both."""
    given = existing(settings, CELERY_SECRET, FLOWER_PASSWORD)
    if given is not None:
        return (secret_env(FLOWER_LOGIN, given.secret, given.key),)
    login = f"{settings.airflow.admin.username}:$(FLOWER_PASSWORD)"
    return (
        secret_env("FLOWER_PASSWORD", CELERY_SECRET, FLOWER_PASSWORD),
        {"name": FLOWER_LOGIN, "value": login},
    )
