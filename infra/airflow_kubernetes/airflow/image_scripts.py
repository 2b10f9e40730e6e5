"""The small programs of the Airflow image (images/airflow/*.py), as containers and as probes.

They query the database without loading Airflow, which would cost seconds and 140 MB each time.
"""

from collections.abc import Sequence

from ..kubernetes.env import EnvVar, config_map_env
from ..kubernetes.pod import NOTHING, Container, Parts
from ..kubernetes.probes import Probes, execute, probe
from ..settings.schema import Quantities, Resources, Settings
from .configuration import CONFIG_MAP
from .credentials import credentials_env
from .pod import folders
from .releases import DATABASE

FOLDER = "/opt/checks"
SMALL = Resources(
    requests=Quantities(cpu="10m", memory="64Mi"), limits=Quantities(cpu="500m", memory="128Mi")
)


def script_container(
    script: str,
    image: str,
    *args: str,
    env: Sequence[EnvVar] | None = None,
    parts: Parts = NOTHING,
    resources: Resources = SMALL,
    probes: Probes | None = None,
) -> Container:
    """An init container or side-car that runs a script; it is named after it."""
    container = Container(
        name=script.replace("_", "-"),
        image=image,
        resources=resources,
        args=("python", f"{FOLDER}/{script}.py", *args),
        env=env,
        env_from=(config_map_env(CONFIG_MAP),),
        probes=probes,
    )
    return (folders() + parts).of(container)


def wait_for_migrations(settings: Settings, image: str, *flags: str) -> Parts:
    """An init container that waits until the database holds this release's schema.

    So objects may be applied in any order, without crash loops. With the flag `--database-only`
    it waits for the server alone. An external server that refuses the login makes it fail.
    """
    if settings.database.mode == "external":
        flags += ("--external",)
    env = credentials_env(settings, [DATABASE])
    return Parts(init=(script_container("wait_for_migrations", image, *flags, env=env),))


def heartbeat_probes(job_type: str) -> Probes:
    """Probes of a component without an HTTP health address: its heartbeat in the database.

    `job_type` is the component's in the table `job`. `airflow jobs check` would report the same
    in 4 to 6 s of CPU.
    """
    heartbeat = execute("python", f"{FOLDER}/heartbeat.py", job_type)
    return Probes(
        startup=probe(heartbeat, period=2, failures=90),
        liveness=probe(heartbeat, period=60, failures=5, timeout=20),
        readiness=probe(heartbeat, period=30, failures=3, timeout=20),
    )
