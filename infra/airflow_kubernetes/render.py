"""Running the real program without an engine, to get its Kubernetes objects.

The Pulumi SDK's own test double (`pulumi.runtime.Mocks`, public API) answers every registration;
the inputs of the Kubernetes resources are the objects.
"""

import asyncio
import logging
import os
import runpy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pulumi
from pulumi.runtime.mocks import MockMonitor

from .images.specs import ROOT
from .kubernetes.manifest import Manifest
from .registry.login import PLACEHOLDER as LOGIN_PLACEHOLDER
from .secrets import PLACEHOLDER
from .settings import load
from .settings.schema import Settings

PROGRAM = ROOT / "infra" / "__main__.py"
PROJECT = "airflow-kubernetes"
ORDER = (
    "Namespace", "PersistentVolumeClaim", "Secret", "ServiceAccount", "Role", "RoleBinding",
    "ConfigMap", "Service", "StatefulSet", "Job", "CronJob", "Deployment",
    "HorizontalPodAutoscaler",
)  # fmt: skip


OPTIONS = (
    "protect", "retainOnDelete", "ignoreChanges", "replaceOnChanges", "deleteBeforeReplace",
    "additionalSecretOutputs",
)  # fmt: skip
"""Options by which a resource and its secrets are kept or lost, as the engine is told them."""


@dataclass(frozen=True)
class Registered:
    """A resource that the program registers: Pulumi's type and name, inputs and OPTIONS.

    `place` is the line of the program that does it, as `infra/__main__.py:1`.
    """

    type: str
    name: str
    inputs: dict[str, Any]
    options: dict[str, Any]
    place: str


class Recorder(pulumi.runtime.Mocks):
    """Keeps what the program registers and invents what it reads back."""

    def __init__(self) -> None:
        self.requests: dict[tuple[str, str], Any] = {}
        self.registered: list[Registered] = []

    def new_resource(
        self, args: pulumi.runtime.MockResourceArgs
    ) -> tuple[str | None, dict[Any, Any]]:
        """Called once for each resource that the program registers."""
        state = dict(args.inputs)
        request = self.requests[args.typ, args.name]
        self.registered.append(
            Registered(args.typ, args.name, _plain(state), _options(request), _place_of(request))
        )
        if args.typ.startswith("random:"):
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


class Monitor(MockMonitor):
    """Gives the recorder what the engine is told of a resource: mocks see its inputs alone."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__(recorder)
        self._recorder = recorder

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 (the name of the engine's call)
        """The engine's call for one resource."""
        self._recorder.requests[request.type, request.name] = request
        return super().RegisterResource(request)  # type: ignore[no-untyped-call]


def objects(environment: str, overrides: str = "") -> list[Manifest]:
    """All objects of an environment, in a fixed order, secrets as placeholders.

    Raises RunError for bad values.
    """
    found = registered(environment, overrides)
    return sorted((one.inputs for one in found if one.type.startswith("kubernetes:")), key=_place)


def registered(
    environment: str,
    overrides: str = "",
    *,
    settings: Settings | None = None,
    logger: logging.Logger | None = None,
) -> list[Registered]:
    """All that the program registers, in no order, secrets as placeholders.

    With `settings` it runs on these, whatever the values files say and whether or not they are
    possible together. Warnings go to `logger`, else to standard error. Raises RunError for bad
    values.
    """
    recorder = Recorder()
    with _in_the_program(overrides), _given(settings):
        pulumi.runtime.set_mocks(
            recorder, PROJECT, environment, preview=True, logger=logger, monitor=Monitor(recorder)
        )
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
    return recorder.registered


@contextmanager
def _given(settings: Settings | None) -> Iterator[None]:
    """The program's answer when it asks for its settings."""
    if settings is None:
        yield
        return
    with mock.patch.object(load, "load", return_value=settings):
        yield


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


def _options(request: Any) -> dict[str, Any]:
    """Those that are set, lists as lists."""
    values = {name: getattr(request, name) for name in OPTIONS}
    return {
        name: value if isinstance(value, bool) else list(value)
        for name, value in values.items()
        if value
    }


def _place_of(request: Any) -> str:
    """The innermost line of this program on the stack; an SDK's own lines are no help."""
    for frame in request.stackTrace.frames:
        file = Path(url2pathname(urlsplit(frame.pc.uri).path))
        if file.is_relative_to(PROGRAM.parent):
            return f"{file.relative_to(ROOT)}:{frame.pc.line}"
    return str(PROGRAM.relative_to(ROOT))


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
