"""`make upgrade`: change the Airflow release of a running environment.

In Airflow's own order: stop every component, back up, migrate, start. MySQL cannot undo half of a
migration, so nothing is migrated without the backup (see the migration Job's guard).
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ..airflow.migrations import RELEASE_CHANGE
from ..airflow.tasks import MARGIN
from ..console import Stopwatch, say
from ..environment import load
from ..errors import CommandError
from ..kubectl.client import OWNED
from ..kubectl.wait import RolloutError
from ..kubernetes.manifest import Manifest, manifest
from ..settings.load import STOPPED
from . import build, installed_release
from .backup import take
from .target import Target
from .up import up, way_back

RUN_TASKS = ("scheduler", "worker", "task")
"""Prefixes of the names of components that start tasks or run them."""


def upgrade(target: Target) -> None:
    """Bring the environment to `airflow.version`. Raises CommandError, with what to do next.

    If it is interrupted before the backup, running it again starts over; after the backup, the
    database must be restored first.
    """
    if target.settings.airflow.stopped:
        raise CommandError(
            "airflow.stopped is set, so nothing would be migrated: remove it from "
            f"values/{target.environment}.yaml and run make upgrade again"
        )
    release, current = target.settings.airflow.version, installed_release.release(target)
    if current is None:
        raise CommandError(f"nothing runs in {target.settings.namespace}: run make up instead")
    if "backup" in installed_release.release_change(target):
        raise CommandError(way_back(target))
    if current == release:
        print(
            f"the database is of Airflow {release} already: make up ENV={target.environment} does "
            "the rest"
        )
        return
    # First, so that nothing stops for an image that cannot be built.
    build.ensure(target.settings)
    _note(target, {"from": current})
    say(f"1/4 stopping Airflow {current}: no new tasks start, running tasks end")
    with _undone_on_failure(target, current):
        drain(target)
        stop(target)
    say("2/4 backup")
    taken = take(target, "release")
    _note(target, {"from": current, "heads": taken.heads, "backup": taken.name})
    say(f"3/4 migrating to Airflow {release}, 4/4 starting it")
    try:
        up(target, changing_release=True)
    except (CommandError, RolloutError) as error:
        remedy = f"the database is of Airflow {release}: fix the cause and run make up"
        if installed_release.release_change(target):
            remedy = way_back(target)
        raise CommandError(f"{error}\n{remedy}") from None
    target.kubectl.run("delete", "configmap", RELEASE_CHANGE)
    installed_release.record(target, release)
    _wake(target)
    print(f"Airflow {current} -> {release}; the database as it was before: backup {taken.name}")


def drain(target: Target) -> None:
    """Stop schedulers and workers, and wait for running tasks.

    The web component stays up meanwhile: 3.x tasks report to it. Raises CommandError if tasks run
    for longer than `airflow.tasks.gracePeriod`.
    """
    for name, deployment in _deployments(target):
        if installed_release.component(deployment).startswith(RUN_TASKS):
            _scale(target, name, 0)
    grace = target.settings.airflow.tasks.grace_period + MARGIN
    _wait_until_gone(target, RUN_TASKS, grace)


@contextmanager
def _undone_on_failure(target: Target, release: str) -> Iterator[None]:
    """Scale Deployments of `release` back after a failure, Ctrl-C or a "no" to Pulumi.

    Nothing else would: no `up` follows.
    """
    replicas = {name: deployment["spec"]["replicas"] for name, deployment in _deployments(target)}
    try:
        yield
    except BaseException:
        for name, deployment in _deployments(target):
            labels = deployment["spec"]["template"]["metadata"]["labels"]
            if labels.get(installed_release.VERSION) == release:
                _scale(target, name, replicas.get(name, 1))
        raise


def _wake(target: Target) -> None:
    """Scale autoscaled workers up from zero: no autoscaler acts there, and `drain` left them so.

    Their number is not in the program's objects, so no engine sets it.
    """
    scalers = target.kubectl.get("horizontalpodautoscalers", installed_release.AIRFLOW)
    minimum = {
        scaler["spec"]["scaleTargetRef"]["name"]: scaler["spec"]["minReplicas"]
        for scaler in scalers
    }
    for name, deployment in _deployments(target):
        if name in minimum and deployment["spec"]["replicas"] == 0:
            _scale(target, name, minimum[name])


def _deployments(target: Target) -> list[tuple[str, Manifest]]:
    return [
        (deployment["metadata"]["name"], deployment)
        for deployment in target.kubectl.get("deployments", installed_release.AIRFLOW)
    ]


def _scale(target: Target, name: str, replicas: int) -> None:
    patch = json.dumps({"spec": {"replicas": replicas}})
    target.kubectl.run("patch", "deployment", name, "--patch", patch)


def stop(target: Target) -> None:
    """Bring the environment to `airflow.stopped: true`, and wait for the end of the last pod."""
    overrides = f"{target.overrides} {STOPPED}".strip()
    stopped = Target(target.environment, overrides, load(target.environment, overrides))
    up(stopped, changing_release=True)
    _wait_until_gone(target, "", MARGIN + 60)


def _wait_until_gone(target: Target, components: str | tuple[str, ...], seconds: float) -> None:
    """Wait for the end of the pods of components with these prefixes. Raises CommandError."""
    stopwatch = Stopwatch()
    while True:
        names = [
            pod["metadata"]["name"]
            for pod in installed_release.pods(target)
            if installed_release.component(pod).startswith(components)
        ]
        if not names:
            return
        if stopwatch.seconds > seconds:
            raise CommandError(
                f"after {seconds:.0f} s these still run: {', '.join(names)}. Nothing was migrated. "
                "Let them end, or raise airflow.tasks.gracePeriod, and run make upgrade again"
            )
        stopwatch.say(f"waiting for {', '.join(names)}")
        time.sleep(1)


def _note(target: Target, data: dict[str, str]) -> None:
    """Record the release change, for the migration Job's guard and in case it is interrupted."""
    note = manifest(
        "v1",
        "ConfigMap",
        RELEASE_CHANGE,
        target.settings.namespace,
        "release-change",
        protected=True,  # it must outlive `make down`
        data=data,
    )
    target.kubectl.run("apply", *OWNED, "--filename=-", objects=[note])
