"""Two environments that would use the same place: one would be deployed over the other."""

from collections.abc import Iterator
from itertools import combinations

from ..environment import load
from ..errors import CommandError
from ..kubernetes.namespace import tasks_namespace
from ..settings.load import environments
from ..settings.problems import SettingsError
from ..settings.schema import Settings
from .target import Target, context


def refuse(target: Target) -> None:
    """Raises CommandError if another environment uses a place of the target's.

    An environment whose values are wrong is left out: `make check` reports them.
    """
    name = target.environment
    found: list[str] = []
    for other in environments():
        try:
            if other != name:
                found += shared({name: target.settings, other: load(other)})
        except SettingsError:
            continue
    if found:
        raise CommandError("\n".join(found))


def shared(settings: dict[str, Settings]) -> Iterator[str]:
    """A line for each place that two of the environments use, with the files to change."""
    places = {name: dict(_places(name, values)) for name, values in settings.items()}
    for one, other in combinations(sorted(settings), 2):
        # Of a namespace and that of its launched pods, both shared, one line is enough.
        both = {setting: p for p, setting in places[one].items() if p in places[other]}
        for setting, place in both.items():
            yield (
                f"values/{one}.yaml and values/{other}.yaml: {setting}: both use "
                f"{' of '.join(place)}; set another one in one of them, or another "
                f"{'host' if 'database' in setting else 'cluster'}"
            )


def _places(name: str, settings: Settings) -> Iterator[tuple[tuple[str, ...], str]]:
    """What an environment has for itself, with what it is a part of, and the setting of it."""
    external, service = settings.database.external, settings.airflow.api_server.service
    if settings.database.mode == "external" and external.host is not None:
        server = f"{external.host.lower().removesuffix('.')}:{external.port}"
        yield (f"the database {settings.database.name.lower()}", server), "database.name"
    try:
        cluster = f"context {context(name)}"
    except CommandError:  # it names no cluster yet
        return
    if settings.airflow.tasks.launch_pods:
        yield (f"the namespace {tasks_namespace(settings.namespace)}", cluster), "namespace"
    yield (f"the namespace {settings.namespace}", cluster), "namespace"
    if service.node_port is not None:
        port = (f"the port {service.node_port}", cluster)
        yield port, "airflow.apiServer.service.nodePort"
