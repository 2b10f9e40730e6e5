"""`make dags`: deploy changed DAGs, and nothing else."""

import json

from ..airflow import image_catalog
from ..airflow.dag_processor import DAG_PROCESSOR
from ..airflow.image_scripts import FOLDER
from ..airflow.repositories import BUNDLE
from ..airflow.task_images import CONFIG_MAP
from ..console import Stopwatch, say
from ..errors import CommandError
from ..images import references
from ..kubectl import apply
from ..kubernetes.manifest import Manifest
from . import check_dags, pulumi_cli, stack
from .target import Target, engine, kubectl_of

TIMEOUT = 300.0
"""Seconds until the pods that read DAG code are replaced; workers may drain longer."""

READ_TIMEOUT = 120
"""Seconds until the DAG processor has read all files."""

ERRORS, TOO_LATE = 1, 3
"""Exit codes of the image's wait_for_dags.py."""


def dags(target: Target) -> None:
    """Check the DAGs, build their layer, replace the pods that read it, wait until they are read.

    Under kubectl, changes of anything else wait for `make up`. Raises CommandError if DAGs come
    from Git, if an image below the layer is not built, and for DAGs that cannot be read.
    """
    settings, stopwatch = target.settings, Stopwatch()
    if settings.airflow.dags.source != "image":
        raise CommandError(
            "airflow.dags.source is git: DAGs come from the repository "
            f"{settings.airflow.dags.git.repository}, and no deployment is needed"
        )
    if settings.airflow.stopped:
        raise CommandError("airflow.stopped is true, so nothing reads DAGs; make up deploys them")
    layers, specs = set(image_catalog.WITH_DAGS.values()), image_catalog.every(settings)
    for spec in specs:
        if spec.name not in layers and references.locked(settings, spec) is None:
            raise CommandError(
                f"more than DAGs has changed: {spec.name} is not built yet. Run make up "
                f"ENV={target.environment}"
            )
    name = image_catalog.of_dag_code(settings)
    (wanted,) = (references.locked(settings, spec) for spec in specs if spec.name == name)
    if wanted is not None and wanted == _running(target):
        say("  nothing changed")
    else:
        _with_pulumi(target) if engine(target) == "pulumi" else _with_kubectl(target)
    wait_until_read(target)
    say(f"DAGs are live after {stopwatch.seconds:.0f} s")


def wait_until_read(target: Target) -> None:
    """Wait until the DAG processor has read all DAGs of the first source: those of others may come
    and go at any time.

    Raises CommandError with the import errors, if the DAGs are this deployment's; those of a Git
    repository are warnings.
    """
    processor, timeout = f"deployment/{DAG_PROCESSOR}", f"--timeout={READ_TIMEOUT}"
    target.kubectl.run("rollout", "status", processor, f"{timeout}s")
    expected = check_dags.passed(target.settings)
    source = [f"--source={BUNDLE}"] if target.settings.airflow.dags.repositories else []
    command = ["python", f"{FOLDER}/wait_for_dags.py", timeout, *source, "--", *expected]
    said = target.kubectl.run("exec", processor, "--", *command, ok=(0, ERRORS, TOO_LATE))
    if not said:
        return
    message = f"DAGs cannot be read:\n{said.rstrip()}"
    if target.settings.airflow.dags.source == "git":
        say(f"warning: {message}")
        return
    raise CommandError(
        f"{message}\nWhat was read before stays as it was. The whole log: "
        f"{kubectl_of(target)} logs {processor}"
    )


def _running(target: Target) -> str | None:
    """The image that the DAG processor's Deployment names, if there is one."""
    found = target.kubectl.get("deployments", DAG_PROCESSOR)
    images = (
        container["image"]
        for obj in found
        for container in obj["spec"]["template"]["spec"]["containers"]
    )
    return next(images, None)


def _with_kubectl(target: Target) -> None:
    rendered = [obj for obj in check_dags.while_building(target) if _has_dags(obj)]
    timeout = TIMEOUT + target.settings.airflow.tasks.grace_period
    for change in apply.update(target.kubectl, rendered, timeout):
        say(f"  {change}")


def _has_dags(obj: Manifest) -> bool:
    """Whether an object names an image with DAGs."""
    text = json.dumps(obj)
    named = any(f"/{name}:" in text for name in image_catalog.WITH_DAGS.values())
    return named or (obj["kind"], obj["metadata"]["name"]) == ("ConfigMap", CONFIG_MAP)


def _with_pulumi(target: Target) -> None:
    """An update of the whole stack, without a refresh: Pulumi itself finds what has changed."""
    check_dags.before_up(target.settings)
    pulumi_cli.run(target.environment, "up", "--yes", "--skip-preview", overrides=target.overrides)
    if target.settings.images.build:
        stack.record_images(target)
