"""`make upgrade`: change the Airflow release of a running environment.

Airflow's own order for it: stop every component, back up, migrate, start. MySQL cannot undo half of
a migration, so without the backup nothing is migrated (see the migration Job's guard).
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from ..airflow.migrations import RELEASE_CHANGE
from ..airflow.tasks import MARGIN
from ..console import say
from ..environment import load
from ..errors import CommandError
from ..images import build
from ..kubectl.apply import RolloutError
from ..kubectl.client import OWNED
from ..kubernetes.manifest import Manifest, manifest
from ..settings.load import STOPPED
from . import installed_release
from .backup import take
from .target import Target
from .up import up, way_back

RUN_TASKS = ("scheduler", "worker", "task")
"""Beginnings of the names of components that start tasks or run them."""


def upgrade(here: Target) -> None:
    """Bring the environment to `airflow.version`. Raises CommandError, with what to do next.

    Interrupted before the backup, it begins again; after that, the database is restored first.
    """
    here.kubectl.reach()
    if here.settings.airflow.stopped:
        raise CommandError(
            "airflow.stopped is set, so nothing would be migrated: take it out of "
            f"values/{here.environment}.yaml and run make upgrade again"
        )
    wanted, current = here.settings.airflow.version, installed_release.release(here)
    if current is None:
        raise CommandError(f"nothing runs in {here.settings.namespace}: make up is enough")
    if "backup" in installed_release.release_change(here):
        raise CommandError(way_back(here))
    if current == wanted:
        print(f"the database is of Airflow {wanted} already: make up ENV={here.environment} is all")
        return
    # Before anything stops: what cannot be built must not cost a minute of rest.
    build.ensure(here.settings, say)
    _note(here, {"from": current})
    say(f"1/4 stopping Airflow {current}: no new tasks, the running ones end")
    with _undone_on_failure(here, current):
        drain(here)
        stop(here)
    say("2/4 backup")
    taken = take(here, "release")
    _note(here, {"from": current, "heads": taken.heads, "backup": taken.name})
    say(f"3/4 migrating to Airflow {wanted}, 4/4 starting it")
    try:
        up(here, changing_release=True)
    except (CommandError, RolloutError) as error:
        remedy = f"the database is of Airflow {wanted}: mend that and run make up"
        if installed_release.release_change(here):
            remedy = way_back(here)
        raise CommandError(f"{error}\n{remedy}") from None
    here.kubectl.run("delete", "configmap", RELEASE_CHANGE)
    installed_release.record(here, wanted)
    _wake(here)
    print(f"Airflow {current} -> {wanted}; the database as it was before: backup {taken.name}")


def drain(here: Target) -> None:
    """Stop schedulers and workers, and wait for the tasks that run.

    The web component goes on meanwhile: 3.x tasks report to it. Raises CommandError if tasks run
    for longer than `airflow.tasks.gracePeriod`.
    """
    for name, obj in _deployments(here):
        if installed_release.component(obj).startswith(RUN_TASKS):
            _scale(here, name, 0)
    grace = here.settings.airflow.tasks.grace_period + MARGIN
    _wait_until_gone(here, RUN_TASKS, grace)


@contextmanager
def _undone_on_failure(here: Target, release: str) -> Iterator[None]:
    """Deployments still of `release` are scaled back, also after Ctrl-C or a "no" to Pulumi.

    Pulumi would not: what was scaled beside it is not in its state.
    """
    replicas = {name: obj["spec"]["replicas"] for name, obj in _deployments(here)}
    try:
        yield
    except BaseException:
        for name, obj in _deployments(here):
            if (
                obj["spec"]["template"]["metadata"]["labels"].get(installed_release.VERSION)
                == release
            ):
                _scale(here, name, replicas.get(name, 1))
        raise


def _wake(here: Target) -> None:
    """Scale autoscaled workers up from zero, where no autoscaler acts and `drain` left them.

    Their number is not in the program's objects, so that no engine sets it.
    """
    scalers = here.kubectl.get("horizontalpodautoscalers", installed_release.OURS)
    least = {one["spec"]["scaleTargetRef"]["name"]: one["spec"]["minReplicas"] for one in scalers}
    for name, obj in _deployments(here):
        if name in least and obj["spec"]["replicas"] == 0:
            _scale(here, name, least[name])


def _deployments(here: Target) -> list[tuple[str, Manifest]]:
    return [
        (obj["metadata"]["name"], obj)
        for obj in here.kubectl.get("deployments", installed_release.OURS)
    ]


def _scale(here: Target, name: str, replicas: int) -> None:
    # Of the object itself: what `kubectl scale` sets, Pulumi does not take over again.
    patch = f'{{"spec": {{"replicas": {replicas}}}}}'
    here.kubectl.run("patch", "deployment", name, "--patch", patch)


def stop(here: Target) -> None:
    """Bring the environment to `airflow.stopped: true`, and wait for the last pod to be gone."""
    overrides = f"{here.overrides} {STOPPED}".strip()
    stopped = Target(here.environment, overrides, load(here.environment, overrides))
    up(stopped, changing_release=True)
    _wait_until_gone(here, "", MARGIN + 60)


def _wait_until_gone(here: Target, components: str | tuple[str, ...], seconds: float) -> None:
    """Until no pod is left of the components whose names begin so. Raises CommandError."""
    started, said = time.monotonic(), ""
    while True:
        left = [
            pod["metadata"]["name"]
            for pod in installed_release.pods(here)
            if installed_release.component(pod).startswith(components)
        ]
        if not left:
            return
        elapsed = time.monotonic() - started
        line = f"waiting for {', '.join(left)}"
        if elapsed > seconds:
            raise CommandError(
                f"after {seconds:.0f} s still at work: {', '.join(left)}. Nothing was migrated. "
                "Let them end, or raise airflow.tasks.gracePeriod, and run make upgrade again"
            )
        if line != said:
            say(f"  {elapsed:4.0f} s  {line}")
            said = line
        time.sleep(1)


def _note(here: Target, data: dict[str, str]) -> None:
    """What the migration Job's guard asks for, and what an interrupted change leaves behind."""
    obj = manifest(
        "v1",
        "ConfigMap",
        RELEASE_CHANGE,
        here.settings.namespace,
        "release-change",
        protected=True,  # `make down` must not make anybody forget it
        data=data,
    )
    here.kubectl.run("apply", *OWNED, "--filename=-", objects=[obj])
