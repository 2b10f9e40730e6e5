"""`make up`: bring an environment to the state that this checkout describes."""

import sys
from contextlib import suppress
from functools import partial

from ..airflow.migrations import RELEASE_CHANGE
from ..airflow.releases import RELEASES
from ..airflow.task_pod import TASK
from ..console import Stopwatch, say
from ..errors import CommandError
from ..kubectl import apply, foundation
from ..kubectl.client import KubectlError
from ..kubectl.restart import restart_outdated, restart_stuck
from ..kubectl.wait import Watch, wait
from ..kubernetes.manifest import Manifest
from ..secrets import generated
from . import (
    autoscalers,
    build,
    check_dags,
    dags,
    installed_database,
    installed_release,
    pulumi_cli,
    stack,
    task_pod_trial,
)
from .scale import wake
from .status import print_access
from .target import Target, engine

LAUNCHED_BY_TASK = "kubernetes_pod_operator=True"
"""A label that KubernetesPodOperator gives to its pods."""

TIMEOUT = 900.0
"""Seconds for everything to become ready; a new node pulls a gigabyte of images first."""


def up(target: Target, *, changing_release: bool = False) -> None:
    """Deploy images and objects, wait until they are ready, print how to log in.

    Only `make upgrade` may be `changing_release`. Raises UserError at the first failure.
    """
    chosen = engine(target)
    if chosen == "pulumi":
        pulumi_cli.require()
    say(
        f"{target.environment}: context {target.kubectl.context}, namespace "
        f"{target.settings.namespace}, engine {chosen}"
    )
    if not changing_release:
        _refuse_a_release_change(target)
    stopwatch = Stopwatch()
    autoscalers.require_keda(target)
    # Under either engine: data whose Secrets are lost, or were made for other values, stops here.
    foundation.check(target.kubectl, generated(target.settings))
    foundation.check_existing(target.kubectl, target.settings)
    foundation.check_namespaces(target.kubectl, target.settings)
    installed_database.check(target)
    task_pod_trial.try_task_pod(target)
    if chosen == "pulumi":
        check_dags.before_up(target.settings)
        deploy = partial(_with_pulumi, target, changing_release=changing_release)
    else:
        deploy = partial(_with_kubectl, target, check_dags.while_building(target))
    autoscalers.hand_over(target)
    try:
        deploy()
    finally:
        _record_data(target, changing_release=changing_release)
    _clear_task_pods(target)
    if not changing_release and not target.settings.airflow.stopped:
        wake(target)
        # A release change that was begun is either taken back or complete: `up` has waited for the
        # migrations.
        target.kubectl.run("delete", "configmap", RELEASE_CHANGE, "--ignore-not-found")
        dags.wait_until_read(target)
    say(f"up after {stopwatch.seconds:.0f} s")
    print_access(target)


def _record_data(target: Target, *, changing_release: bool) -> None:
    """Record what is in the database, even after a failure: it may hold data by now."""
    with suppress(KubectlError):
        installed_database.record(target)
        if not changing_release and (migrated := installed_release.migrated(target)):
            installed_release.record(target, migrated)


def _refuse_a_release_change(target: Target) -> None:
    """Raises CommandError if Airflow runs and is of another release: that needs a backup first."""
    if target.settings.airflow.stopped:
        return
    change = installed_release.release_change(target)
    if "backup" in change:
        raise CommandError(way_back(target, change))
    if "heads" in change:
        return  # allowed manually; the migration Job's guard compares them with the database
    release, current = target.settings.airflow.version, installed_release.release(target)
    if current not in (None, release):
        raise CommandError(
            f"the database in {target.settings.namespace} is of Airflow {current} and "
            f"airflow.version says {release}. make upgrade ENV={target.environment} changes the "
            "release: it stops Airflow, takes a backup, migrates and starts. Or set "
            f"airflow.version back to {current}"
        )


def way_back(target: Target, change: dict[str, str]) -> str:
    """The steps after a release `change` that failed, or was interrupted, once it had a backup.

    The database may be half migrated; there is no way to know.
    """
    env = f"ENV={target.environment}"
    own = f"values/{target.environment}.yaml"
    return (
        "The release change did not end, and the database may be half migrated. The backup "
        f"{change['backup']} holds it as it was, of Airflow {change['from']}. To go back:\n"
        f"  1. set airflow.version: {change['from']} in values/common.yaml and "
        f"airflow.stopped: true in {own}; make up {env}\n"
        f"  2. make restore FROM={change['backup']} {env}\n"
        f"  3. remove airflow.stopped again; make up {env}\n"
        "To try again once the cause is fixed: these steps, then the new version and make upgrade."
    )


def _clear_task_pods(target: Target) -> None:
    """Delete pods that nobody follows: KubernetesExecutor's where another executor has replaced it,
    and launched ones where tasks may no longer launch any.

    The scheduler has waited for those of the executor that were running (image: wait_for_tasks.py).
    """
    if not target.settings.airflow.tasks.launch_pods:
        delete_launched_pods(target)
    release = RELEASES[target.settings.airflow.version]
    if not release.executor(target.settings.airflow.executor).kubernetes:
        target.kubectl.run(
            "delete", "pods", f"--selector={installed_release.COMPONENT}={TASK}",
            "--field-selector=status.phase!=Running", "--wait=false",
        )  # fmt: skip


def delete_launched_pods(target: Target) -> None:
    """Delete the pods that tasks launched; without Airflow, nobody follows or deletes them."""
    for place in target.kubectl.namespaces[1:]:
        place.run("delete", "pods", f"--selector={LAUNCHED_BY_TASK}", "--wait=false")


def _with_kubectl(target: Target, rendered: list[Manifest]) -> None:
    foundation.lay(target.kubectl, target.settings, generated(target.settings), rendered)
    restart_stuck(target.kubectl)
    restart_outdated(target.kubectl)
    # After a change of the executor, the scheduler waits for the tasks of the previous one.
    timeout = TIMEOUT + target.settings.airflow.tasks.grace_period
    changed = apply.apply(target.kubectl, rendered, timeout)
    for change in changed or ["nothing changed"]:
        say(f"  {change}")


def _with_pulumi(target: Target, *, changing_release: bool) -> None:
    if target.settings.images.build:
        build.pin_bases(target.settings)
    else:
        build.ensure(target.settings)
    if stack.exists(target):
        stack.finish_creations(target)
    restart_stuck(target.kubectl)
    restart_outdated(target.kubectl)
    pulumi_cli.run(target.environment, "stack", "select", "--create")
    # On a terminal Pulumi shows its preview and asks; make upgrade calls this
    # twice, and its start confirms both.
    answer = [] if sys.stdin.isatty() and not changing_release else ["--yes"]
    # Refreshed: an object, an image, or the builder of another machine may be gone.
    options = ("up", *answer, "--refresh")
    watch = Watch(target.kubectl)
    pulumi_cli.run(target.environment, *options, overrides=target.overrides, watch=watch)
    # A Secret that was lost is as it was first made, which is not always as it was last.
    wait(target.kubectl, restart_outdated(target.kubectl), TIMEOUT)
    if target.settings.images.build:
        stack.record_images(target)
