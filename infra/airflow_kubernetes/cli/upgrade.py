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
from ..errors import CommandError, UserError
from ..kubectl.client import OWNED, KubectlError
from ..kubectl.wait import wait
from ..kubernetes.manifest import manifest
from . import autoscalers, build, installed_release
from .backup import check, take
from .scale import deployments, scale, wake
from .target import Target
from .up import up, way_back

RUN_TASKS = ("scheduler", "worker", "task")
"""Prefixes of the names of components that start tasks or run them."""

READY = 300.0
"""Seconds for the old release to become ready again after a failure."""

Replicas = dict[str, int]
"""The replicas of Airflow's Deployments, by their names."""


def upgrade(target: Target) -> None:
    """Bring the environment to `airflow.version`. Raises CommandError, with what to do next.

    If it fails before the migration, the old release runs again. If it is killed before the backup,
    running it again starts over; after the backup, the database must be restored first.
    """
    if target.settings.airflow.stopped:
        raise CommandError(
            "airflow.stopped is set, so nothing would be migrated: remove it from "
            f"values/{target.environment}.yaml and run make upgrade again"
        )
    release, current = target.settings.airflow.version, installed_release.release(target)
    if current is None:
        raise CommandError(f"nothing runs in {target.settings.namespace}: run make up instead")
    change = installed_release.release_change(target)
    if "backup" in change:
        raise CommandError(way_back(target, change))
    if current == release:
        print(
            f"the database is of Airflow {release} already: make up ENV={target.environment} does "
            "the rest"
        )
        return
    # First, so that nothing stops for an image that cannot be built, or for a full volume.
    build.ensure(target.settings)
    try:
        check(target)
    except UserError as error:
        raise CommandError(f"{error}\nNo backup can be taken, so nothing was stopped") from None
    replicas = _replicas(target, change)
    change = {"from": current, "replicas": json.dumps(replicas)}
    with _undone_on_failure(target, current, replicas):
        _note(target, change)
        say(f"1/4 stopping Airflow {current}: no new tasks start, running tasks end")
        drain(target)
        stop(target)
        say("2/4 backup")
        taken = take(target, "release")
        change |= {"heads": taken.heads, "backup": taken.name}
        _note(target, change)
    say(f"3/4 migrating to Airflow {release}, 4/4 starting it")
    try:
        up(target, changing_release=True)
    except UserError as error:
        raise CommandError(f"{error}\n{_remedy(target, release, change)}") from None
    except KeyboardInterrupt:
        say(_remedy(target, release, change))
        raise
    target.kubectl.run("delete", "configmap", RELEASE_CHANGE)
    installed_release.record(target, release)
    wake(target)
    print(f"Airflow {current} -> {release}; the database as it was before: backup {taken.name}")


def _remedy(target: Target, release: str, change: dict[str, str]) -> str:
    """What to do after a failure in the migration, or in starting the new release."""
    try:
        migrated = not installed_release.release_change(target)
    except KubectlError:
        migrated = False
    if migrated:
        return f"the database is of Airflow {release}: fix the cause and run make up"
    return way_back(target, change)


def drain(target: Target) -> None:
    """Stop schedulers and workers, and wait for running tasks.

    The web component stays up meanwhile: 3.x tasks report to it. Raises CommandError if tasks run
    for longer than `airflow.tasks.gracePeriod`.
    """
    autoscalers.pause(target)
    for name, deployment in deployments(target).items():
        if installed_release.component(deployment).startswith(RUN_TASKS):
            scale(target, name, 0)
    grace = target.settings.airflow.tasks.grace_period + MARGIN
    _wait_until_gone(target, RUN_TASKS, grace)


def stop(target: Target) -> None:
    """Stop everything else too, and wait for the end of the last pod. Raises CommandError.

    The Deployments stay those of the old release, so that it can be started again as it was.
    """
    for name in deployments(target):
        scale(target, name, 0)
    _wait_until_gone(target, "", MARGIN + 60)


def _replicas(target: Target, change: dict[str, str]) -> Replicas:
    """What ran before: of the record of an upgrade that was killed, if there is one."""
    if "replicas" in change:
        recorded: Replicas = json.loads(change["replicas"])
        return recorded
    return {name: found["spec"]["replicas"] for name, found in deployments(target).items()}


@contextmanager
def _undone_on_failure(target: Target, release: str, replicas: Replicas) -> Iterator[None]:
    """Start `release` again after a failure or Ctrl-C: nothing was migrated yet.

    Raises CommandError with what failed, and whether the old release runs again.
    """
    try:
        yield
    except BaseException as error:
        say(f"starting Airflow {release} again; nothing was migrated")
        try:
            _start_again(target, replicas)
            if isinstance(error, UserError):
                wait(target.kubectl, list(deployments(target).values()), READY)
        except UserError as second:
            raise CommandError(
                f"{str(error) or 'interrupted'}\nNothing was migrated, but Airflow {release} does "
                f"not run as before:\n{second}\nSet airflow.version: {release} in "
                f"values/common.yaml and run make up ENV={target.environment}"
            ) from None
        if isinstance(error, UserError):
            raise CommandError(
                f"{error}\nNothing was migrated; Airflow {release} runs again. Fix the cause and "
                "run make upgrade again"
            ) from None
        raise


def _start_again(target: Target, replicas: Replicas) -> None:
    for name in deployments(target):
        scale(target, name, replicas.get(name, 1))
    autoscalers.resume(target)
    target.kubectl.run("delete", "configmap", RELEASE_CHANGE, "--ignore-not-found")


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
                f"after {seconds:.0f} s these still run: {', '.join(names)}. Let them end, or "
                "raise airflow.tasks.gracePeriod"
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
