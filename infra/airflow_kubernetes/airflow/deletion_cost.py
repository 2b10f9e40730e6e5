"""What writes on each Celery worker's pod how many tasks it runs (images/airflow/deletion_cost.py).

An autoscaler says how many workers go, and Kubernetes which: those with the lowest cost. A pod of
its own does it: what may patch pods may become any of them, so neither workers nor the scheduler,
in which tasks may run too, have that right.
"""

from collections.abc import Iterable, Iterator

from ..kubernetes.manifest import Manifest
from ..kubernetes.probes import Probes, probe, recently_touched
from ..kubernetes.rbac import ServiceAccount
from ..settings.schema import PodSettings, Settings
from . import rbac
from .deployment import deployment
from .image_scripts import FOLDER, SMALL, wait_for_migrations
from .pod import airflow_container, airflow_pod, rolled_by
from .releases import DATABASE

COMPONENT = "deletion-cost"


def deletion_cost_manifests(
    settings: Settings, image: str, workers: Iterable[str]
) -> Iterator[Manifest]:
    """Its service account, Role and Deployment; `workers` are the components that it looks at."""
    account = ServiceAccount(COMPONENT, rbac.COST_PODS)
    alive = recently_touched("/tmp/deletion-cost", 120)
    container = airflow_container(
        settings,
        COMPONENT,
        image,
        SMALL,
        ("python", f"{FOLDER}/deletion_cost.py", *workers),
        (DATABASE,),
        probes=Probes(
            startup=probe(alive, period=2, failures=60),
            liveness=probe(alive, period=60, failures=3),
            readiness=probe(alive, period=30, failures=3),
        ),
    )
    pod = airflow_pod(
        settings,
        account,
        container,
        PodSettings(),
        wait_for_migrations(settings, image),
        annotations=rolled_by(settings),
        shared_logs=False,
        evictable=True,
    )
    yield from account.manifests(settings.namespace)
    yield deployment(settings, pod, 1)
