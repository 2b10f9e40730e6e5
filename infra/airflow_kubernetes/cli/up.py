"""`make up`: bring an environment to what this checkout says."""

import json
import sys
import time

from ..airflow.migrations import RELEASE_CHANGE
from ..airflow.releases import RELEASES
from ..airflow.task_pod import TASK
from ..console import say
from ..errors import CommandError
from ..images import build, lock
from ..kubectl import apply, foundation
from ..render import objects
from ..secrets import ADMIN_SECRET, generated
from . import installed_release, pulumi_cli
from .target import Target, engine

TIMEOUT = 900.0
"""Seconds for everything to become ready; a cold node pulls a gigabyte of images first."""


def up(here: Target, *, changing_release: bool = False) -> None:
    """Images, then objects, then wait; prints how to log in. Raises on the first failure.

    Only `make upgrade` may be `changing_release`.
    """
    here.kubectl.reach()
    chosen = engine(here)
    say(f"{here.environment}: context {here.kubectl.context}, namespace "
         f"{here.settings.namespace}, engine {chosen}")  # fmt: skip
    if not changing_release:
        _refuse_a_release_change(here)
    started = time.monotonic()
    # Under either engine: data whose Secrets are gone, or were made for other values, stops here.
    foundation.check(here.kubectl, generated(here.settings))
    if chosen == "pulumi":
        _with_pulumi(here, changing_release=changing_release)
    else:
        _with_kubectl(here)
    _clear_task_pods(here)
    if not changing_release and not here.settings.airflow.stopped:
        # Begun and taken back, or carried out: the migrations were waited for.
        here.kubectl.run("delete", "configmap", RELEASE_CHANGE, "--ignore-not-found")
        installed_release.record(here, here.settings.airflow.version)
    say(f"up after {time.monotonic() - started:.0f} s")
    print_access(here)


def print_access(here: Target) -> None:
    """Where Airflow answers and who may log in; the password stays in the cluster."""
    settings, namespace = here.settings, here.settings.namespace
    password = (
        f"kubectl --context {here.kubectl.context} -n {namespace} get secret {ADMIN_SECRET} "
        "--output go-template='{{.data.password | base64decode}}'"
    )
    stopped = ", stopped: airflow.stopped is set" if settings.airflow.stopped else ""
    print(f"\nAirflow {settings.airflow.version} ({settings.airflow.executor}){stopped}")
    print(f"  address   {settings.airflow.url}")
    print(f"  user      {settings.airflow.admin.username}")
    print(f"  password  make password ENV={here.environment}   ({password})")


def _refuse_a_release_change(here: Target) -> None:
    """A running Airflow keeps its release here: another one needs a backup first."""
    if here.settings.airflow.stopped:
        return
    noted = installed_release.release_change(here)
    if "backup" in noted:
        raise CommandError(way_back(here))
    if "heads" in noted:
        return  # allowed by hand; the migration Job's guard compares them with the database
    wanted, current = here.settings.airflow.version, installed_release.release(here)
    if current not in (None, wanted):
        raise CommandError(
            f"the database in {here.settings.namespace} is of Airflow {current} and "
            f"airflow.version says {wanted}. make upgrade ENV={here.environment} changes the "
            "release: it stops Airflow, takes a backup, migrates and starts. Or set "
            f"airflow.version back to {current}"
        )


def way_back(here: Target) -> str:
    """What to do after a release change that failed, or was interrupted, once its backup was there.

    The database may be half migrated, and nothing can tell.
    """
    noted, env = installed_release.release_change(here), f"ENV={here.environment}"
    own = f"values/{here.environment}.yaml"
    return (
        "The release change did not end, and the database may be half migrated. The backup "
        f"{noted['backup']} holds it as it was, of Airflow {noted['from']}. To go back to that:\n"
        f"  1. set airflow.version: {noted['from']} in values/common.yaml and "
        f"airflow.stopped: true in {own}; make up {env}\n"
        f"  2. make restore FROM={noted['backup']} {env}\n"
        f"  3. take airflow.stopped out again; make up {env}\n"
        "To try again once the cause is mended: these steps, then the new version and make upgrade."
    )


def _clear_task_pods(here: Target) -> None:
    """Pods that KubernetesExecutor left, where it is no longer there to delete them.

    Those that run were waited for by the scheduler (image: wait_for_tasks.py).
    """
    release = RELEASES[here.settings.airflow.version]
    if not release.executor(here.settings.airflow.executor).kubernetes:
        here.kubectl.run(
            "delete", "pods", f"--selector={installed_release.COMPONENT}={TASK}",
            "--field-selector=status.phase!=Running", "--wait=false",
        )  # fmt: skip


def _with_kubectl(here: Target) -> None:
    images = build.ensure(here.settings, say)
    rendered = objects(here.environment, here.overrides)
    text = json.dumps(rendered)
    if any(image not in text for image in images.values()):
        raise CommandError("an image's files changed while it was built; run make up again")
    foundation.lay(here.kubectl, here.settings, generated(here.settings), rendered, say)
    # After a change of the executor the scheduler waits for the other one's tasks.
    timeout = TIMEOUT + here.settings.airflow.tasks.grace_period
    changed = apply.apply(here.kubectl, rendered, timeout)
    for change in changed or ["nothing changed"]:
        say(f"  {change}")


def _with_pulumi(here: Target, *, changing_release: bool) -> None:
    if here.settings.images.build:
        build.pin_bases(here.settings, say)
    else:
        build.ensure(here.settings, say)
    pulumi_cli.create_stack(here.environment)
    # On a terminal Pulumi shows its preview and asks, but once alone: whoever called make upgrade
    # wants all of it.
    answer = [] if sys.stdin.isatty() and not changing_release else ["--yes"]
    # A release change that was cut short may have scaled what Pulumi's state does not know of; and
    # an image, or the builder of another machine, may be gone.
    unknown = installed_release.release_change(here) and not changing_release
    refresh = ["--refresh"] if unknown or build.gone(here.settings) else []
    pulumi_cli.run(here.environment, "up", *answer, *refresh, overrides=here.overrides)
    if here.settings.images.build:
        record_images(here)


def record_images(here: Target) -> None:
    """Write the images that the stack's outputs name into the lock. Raises CommandError."""
    images: dict[str, str] = pulumi_cli.output(here.environment, "images")
    entries = {name: lock.Entry.of(reference) for name, reference in images.items()}
    lock.update(lock.path(here.settings), entries)
