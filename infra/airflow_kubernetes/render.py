"""The Kubernetes objects of an environment, without an engine or a cluster.

`program.build` runs as it does under Pulumi; the SDK's own test double (`pulumi.runtime.Mocks`,
public API) answers each registration, and the inputs of the Kubernetes resources are the objects.
"""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pulumi
from pulumi.runtime.mocks import MockMonitor

from .environment import Environment, for_rendering, load
from .kubernetes.manifest import Manifest
from .kubernetes.order import order
from .paths import ROOT
from .program import build
from .secrets import PLACEHOLDER
from .settings.schema import Settings

SOURCE = ROOT / "infra"
PROJECT = "airflow-kubernetes"
OPTIONS = (
    "protect", "retainOnDelete", "ignoreChanges", "replaceOnChanges", "deleteBeforeReplace",
    "additionalSecretOutputs",
)  # fmt: skip
"""Options that protect a resource and its secrets, by their names in the engine's protocol."""


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
    """Keeps what the program registers and invents what it reads back.

    `requests` has the engine's request for each resource and component, by type and name.
    """

    def __init__(self) -> None:
        self.requests: dict[tuple[str, str], Any] = {}
        self.registered: list[Registered] = []

    def new_resource(
        self, args: pulumi.runtime.MockResourceArgs
    ) -> tuple[str | None, dict[Any, Any]]:
        """Called once for each resource that the program registers."""
        state = dict(args.inputs)
        if not args.custom:
            return None, state  # a component: only a name for its children
        request = self.requests[args.typ, args.name]
        self.registered.append(
            Registered(args.typ, args.name, _plain(state), _options(request), _place_of(request))
        )
        if args.typ.startswith("random:"):
            state["result"] = PLACEHOLDER
        elif args.typ == "docker-build:index:Image":
            state["ref"] = state["tags"][0]
        elif args.typ == "docker-build:index:Index":
            # Not built yet: only the content tag identifies the image.
            state["ref"] = state["tag"]
        return args.name, state

    def call(
        self, args: pulumi.runtime.MockCallArgs
    ) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        """The program calls no provider functions."""
        raise ValueError(f"rendering answers no provider function: {args.token}")


class Monitor(MockMonitor):
    """Pass all that the engine gets of a resource to the recorder: mocks only see its inputs."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__(recorder)
        self._recorder = recorder

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 (the name of the engine's call)
        """The engine's call for one resource."""
        self._recorder.requests[request.type, request.name] = request
        return super().RegisterResource(request)  # type: ignore[no-untyped-call]


def objects(environment: str, overrides: str = "") -> list[Manifest]:
    """All objects of an environment, in a fixed order, secrets as placeholders.

    Raises UserError for bad values.
    """
    resources = registered(environment, load(environment, overrides))
    manifests = (item.inputs for item in resources if item.type.startswith("kubernetes:"))
    return sorted(manifests, key=order)


def registered(
    environment: str, settings: Settings, *, logger: logging.Logger | None = None
) -> list[Registered]:
    """Every resource but components that the program registers, unordered, secrets as placeholders.

    The settings may be any, possible together or not. Warnings go to `logger`, else to standard
    error. Raises UserError for an image that cannot be described.
    """
    return record(for_rendering(environment, settings), logger).registered


def record(environment: Environment, logger: logging.Logger | None = None) -> Recorder:
    """What `program.build` registers."""
    recorder = Recorder()
    with _event_loop():
        pulumi.runtime.set_mocks(
            recorder,
            PROJECT,
            environment.name,
            preview=True,
            logger=logger,
            monitor=Monitor(recorder),
        )
        run = pulumi.runtime.test(lambda: build(environment))  # type: ignore[no-untyped-call]
        run()
    return recorder


@contextmanager
def _event_loop() -> Iterator[None]:
    """A new event loop for the SDK's calls, closed afterwards."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        yield
    finally:
        asyncio.set_event_loop(None)
        loop.close()


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
        if file.is_relative_to(SOURCE):
            return f"{file.relative_to(ROOT)}:{frame.pc.line}"
    return str(SOURCE.relative_to(ROOT))


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
