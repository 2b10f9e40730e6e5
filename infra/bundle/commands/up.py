"""`make up`: bring an environment to what this checkout says."""

import json
import sys
import time

from ..credentials import ADMIN_SECRET, generated
from ..images import build, specs
from ..render import apply, foundation
from ..render.program import objects
from . import pulumi
from .errors import CommandError
from .target import Target, engine

TIMEOUT = 900.0
"""Seconds for everything to become ready; a cold node pulls a gigabyte of images first."""


def up(here: Target) -> None:
    """Images, then objects, then wait; prints how to log in. Raises on the first failure."""
    here.kubectl.reach()
    chosen = engine(here)
    _say(f"{here.environment}: context {here.kubectl.context}, namespace "
         f"{here.settings.namespace}, engine {chosen}")  # fmt: skip
    started = time.monotonic()
    # Under either engine: data whose Secrets are gone, or were made for other values, stops here.
    foundation.check(here.kubectl, generated(here.settings))
    if chosen == "pulumi":
        _with_pulumi(here)
    else:
        _with_kubectl(here)
    _say(f"up after {time.monotonic() - started:.0f} s")
    print_access(here)


def print_access(here: Target) -> None:
    """Where Airflow answers and who may log in; the password stays in the cluster."""
    settings, namespace = here.settings, here.settings.namespace
    password = (
        f"kubectl --context {here.kubectl.context} -n {namespace} get secret {ADMIN_SECRET} "
        "--output go-template='{{.data.password | base64decode}}'"
    )
    print(f"\nAirflow {settings.airflow.version} ({settings.airflow.executor})")
    print(f"  address   {settings.airflow.url}")
    print(f"  user      {settings.airflow.admin.username}")
    print(f"  password  make password ENV={here.environment}   ({password})")


def _with_kubectl(here: Target) -> None:
    image = build.reference(here.settings, specs.airflow(here.settings), _say)
    rendered = objects(here.environment, here.overrides)
    if image not in json.dumps(rendered):
        raise CommandError("the image's files changed while it was built; run make up again")
    foundation.lay(here.kubectl, here.settings, generated(here.settings), rendered, _say)
    changed = apply.apply(here.kubectl, rendered, TIMEOUT)
    for change in changed or ["nothing changed"]:
        _say(f"  {change}")


def _with_pulumi(here: Target) -> None:
    if not here.settings.images.build:
        build.reference(here.settings, specs.airflow(here.settings), _say)
    pulumi.create_stack(here.environment)
    # On a terminal Pulumi shows its preview and asks.
    answer = [] if sys.stdin.isatty() else ["--yes"]
    pulumi.run(here.environment, "up", *answer, overrides=here.overrides)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
