"""`make upgrade`: change the Airflow release of a running environment.

Airflow's own order for it: stop every component, back up, migrate, start. MySQL cannot undo half of
a migration, so without the backup nothing is migrated (see the migration Job's guard).
"""

import time

from ..airflow.jobs import RELEASE_CHANGE
from ..airflow.workload import MARGIN
from ..images import build, specs
from ..kubernetes.metadata import manifest
from ..render.apply import RolloutError
from ..settings.load import STOPPED, load
from . import live
from .backup import Taken, take
from .errors import CommandError
from .target import Target
from .up import say, up

RUN_TASKS = ("scheduler", "worker", "task")
"""Beginnings of the names of components that start tasks or run them."""


def upgrade(here: Target) -> None:
    """Bring the environment to `airflow.version`. Raises CommandError, with what to do next."""
    here.kubectl.reach()
    wanted, current = here.settings.airflow.version, live.release(here)
    if current is None:
        raise CommandError(f"nothing runs in {here.settings.namespace}: make up is enough")
    _refuse_after_a_failure(here)
    if current == wanted and live.pods(here):
        print(f"Airflow {wanted} runs already; nothing was changed")
        return
    # Before anything stops: what cannot be built must not cost a minute of rest.
    build.reference(here.settings, specs.airflow(here.settings), say)
    say(f"1/4 stopping Airflow {current}: no new tasks, the running ones end")
    drain(here)
    stop(here)
    say("2/4 backup")
    taken = take(here, "release")
    _allow(here, taken, current)
    say(f"3/4 migrating to Airflow {wanted}, 4/4 starting it")
    try:
        up(here)
    except (CommandError, RolloutError) as error:
        raise CommandError(f"{error}\n{_way_back(here, taken.name, current)}") from None
    here.kubectl.run("delete", "configmap", RELEASE_CHANGE)
    print(f"Airflow {current} -> {wanted}; the database as it was before: backup {taken.name}")


def drain(here: Target) -> None:
    """Stop schedulers and workers, and wait for the tasks that run.

    The web component goes on meanwhile: 3.x tasks report to it. Raises CommandError if tasks run
    for longer than `airflow.tasks.gracePeriod`.
    """
    for obj in here.kubectl.get("deployments"):
        if live.component(obj).startswith(RUN_TASKS):
            name = obj["metadata"]["name"]
            # Of the object itself: what `kubectl scale` sets, no engine takes over again.
            here.kubectl.run("patch", "deployment", name, "--patch", '{"spec": {"replicas": 0}}')
    grace = here.settings.airflow.tasks.grace_period + MARGIN
    _wait_until_gone(here, RUN_TASKS, grace)


def stop(here: Target) -> None:
    """Bring the environment to `airflow.stopped: true`, and wait for the last pod to be gone."""
    overrides = f"{here.overrides} {STOPPED}".strip()
    up(Target(here.environment, overrides, load(here.environment, overrides)))
    _wait_until_gone(here, "", MARGIN + 60)


def _wait_until_gone(here: Target, components: str | tuple[str, ...], seconds: float) -> None:
    """Until no pod is left of the components whose names begin so. Raises CommandError."""
    started, said = time.monotonic(), ""
    while True:
        left = [
            pod["metadata"]["name"]
            for pod in live.pods(here)
            if live.component(pod).startswith(components)
        ]
        if not left:
            return
        elapsed = time.monotonic() - started
        line = f"waiting for {', '.join(left)}"
        if elapsed > seconds:
            raise CommandError(
                f"after {seconds:.0f} s still at work: {', '.join(left)}. Nothing was migrated. "
                "Let them end, or raise airflow.tasks.gracePeriod, and run make upgrade again; "
                "make up starts what was stopped"
            )
        if line != said:
            say(f"  {elapsed:4.0f} s  {line}")
            said = line
        time.sleep(1)


def _allow(here: Target, taken: Taken, current: str) -> None:
    """The ConfigMap that the migration Job's guard asks for."""
    obj = manifest(
        "v1",
        "ConfigMap",
        RELEASE_CHANGE,
        here.settings.namespace,
        "release-change",
        data={"heads": taken.heads, "backup": taken.name, "from": current},
    )
    here.kubectl.run("create", "--filename=-", objects=[obj])


def _refuse_after_a_failure(here: Target) -> None:
    for obj in here.kubectl.get("configmap", RELEASE_CHANGE):
        noted = obj["data"]
        raise CommandError(
            "an earlier release change did not end; the database may be half migrated.\n"
            + _way_back(here, noted["backup"], noted["from"])
        )


def _way_back(here: Target, backup: str, release: str) -> str:
    env = f"ENV={here.environment}"
    return (
        f"The backup {backup} holds the database of Airflow {release}. To go back to it:\n"
        f"  1. set airflow.version: {release} in values/common.yaml and airflow.stopped: true in "
        f"values/{here.environment}.yaml; make up {env}\n"
        f"  2. make restore FROM={backup} {env}\n"
        f"  3. take airflow.stopped out again; make up {env}\n"
        "To try again once the cause is mended: these steps, then the new version and make upgrade."
    )
