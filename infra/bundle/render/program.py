"""Running the real program without an engine, to get its Kubernetes objects.

The Pulumi SDK's own test double (`pulumi.runtime.Mocks`, public API) answers every registration;
the inputs of the Kubernetes resources are the objects.
"""

import asyncio
import os
import runpy
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pulumi

from ..credentials import PLACEHOLDER
from ..images.specs import ROOT
from ..kubernetes.metadata import Manifest
from ..registry.login import PLACEHOLDER as LOGIN_PLACEHOLDER

PROGRAM = ROOT / "infra" / "__main__.py"
PROJECT = "airflow-kubernetes"
ORDER = (
    "Namespace", "PersistentVolumeClaim", "Secret", "ServiceAccount", "Role", "RoleBinding",
    "ConfigMap", "Service", "StatefulSet", "Job", "CronJob", "Deployment",
    "HorizontalPodAutoscaler",
)  # fmt: skip


class Recorder(pulumi.runtime.Mocks):
    """Keeps the inputs of Kubernetes resources and invents what the program reads back."""

    def __init__(self) -> None:
        self.objects: list[Manifest] = []

    def new_resource(
        self, args: pulumi.runtime.MockResourceArgs
    ) -> tuple[str | None, dict[Any, Any]]:
        """Called once for each resource that the program registers."""
        state = dict(args.inputs)
        if args.typ.startswith("kubernetes:"):
            self.objects.append(_plain(state))
        elif args.typ.startswith("random:"):
            state |= {"result": PLACEHOLDER, "base64": PLACEHOLDER}
        elif args.typ == "docker-build:index:Image":
            state["ref"] = state["tags"][0]
        elif args.typ == "docker-build:index:Index":
            # Not built yet: the content tag alone stands for the image.
            state["ref"] = state["tag"]
        return args.name, state

    def call(
        self, args: pulumi.runtime.MockCallArgs
    ) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        """The program calls no provider functions."""
        raise ValueError(f"rendering answers no provider function: {args.token}")


def objects(environment: str, overrides: str = "") -> list[Manifest]:
    """All objects of an environment, in a fixed order, secrets as placeholders.

    Raises RunError for bad values.
    """
    recorder = Recorder()
    with _in_the_program(overrides):
        pulumi.runtime.set_mocks(recorder, project=PROJECT, stack=environment, preview=True)
        # What an engine would give: its name, and which cluster. kubectl applies what is rendered.
        pulumi.runtime.set_all_config(
            {
                f"{PROJECT}:engine": "kubectl",
                f"{PROJECT}:registryUsername": LOGIN_PLACEHOLDER,
                f"{PROJECT}:registryPassword": LOGIN_PLACEHOLDER,
                "kubernetes:context": "rendered",
            }
        )
        run = pulumi.runtime.test(_run)  # type: ignore[no-untyped-call]  # the SDK has no types here
        run()
    return sorted(recorder.objects, key=_place)


@contextmanager
def _in_the_program(overrides: str) -> Iterator[None]:
    """The folder and the variable that an engine would give, and an event loop that is closed."""
    folder, variable = Path.cwd(), os.environ.get("SET", "")
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    os.environ["SET"] = overrides
    os.chdir(PROGRAM.parent)
    try:
        yield
    finally:
        os.chdir(folder)
        os.environ["SET"] = variable
        asyncio.set_event_loop(None)
        loop.close()


def _run() -> None:
    runpy.run_path(str(PROGRAM))


def _place(obj: Manifest) -> tuple[int, str]:
    return ORDER.index(obj["kind"]), obj["metadata"]["name"]


def _plain(value: Any) -> Any:
    """Protobuf's data as Kubernetes': whole numbers are integers, a secret is its value."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        if pulumi.runtime.rpc._special_sig_key in value:
            return _plain(value["value"])
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
