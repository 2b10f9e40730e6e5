"""All that an environment's program registers, as leaves that can be compared with another's."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import yaml

from ..comparison.leaves import Path, leaves

if TYPE_CHECKING:
    from ..render import Registered

Facts = dict[Path, Any]
"""Each leaf's value; its path begins with the resource: `("Deployment airflow-web", "spec", …)`."""

REGISTRY = "[registry]"
"""Stands for the environment's registry: promotion copies images digest by digest."""

OPTIONS = "pulumi"
"""The key under which a resource's options stand beside its inputs."""


def facts(registered: Iterable["Registered"], registry: str) -> Facts:
    """The leaves of every resource's inputs and options, those of texts included."""
    found: Facts = {}
    for one in registered:
        content = one.inputs | ({OPTIONS: one.options} if one.options else {})
        for path, value in leaves(content).items():
            for inner, leaf in _finer(path, value):
                found[(label(one), *inner)] = _anywhere(leaf, f"{registry}/")
    return found


def label(one: "Registered") -> str:
    """`Deployment airflow-web`: without the hash in a Job's name, which may differ."""
    kind = one.type.rpartition(":")[2]
    return f"{kind} {one.name.removesuffix(f'-{kind.lower()}')}"


def _anywhere(leaf: Any, registry: str) -> Any:
    """The leaf with REGISTRY for the registry."""
    if isinstance(leaf, str):
        return leaf.replace(registry, f"{REGISTRY}/")
    if isinstance(leaf, list):
        return [_anywhere(one, registry) for one in leaf]
    return leaf


def _finer(path: Path, value: Any) -> Iterator[tuple[Path, Any]]:
    """Flags by their names, and YAML and JSON in ConfigMaps by what they hold."""
    if isinstance(value, str) and path[-1].endswith((".yaml", ".yml", ".json")):
        for inner, leaf in _document(value):
            yield (*path, *inner), leaf
    elif isinstance(value, list) and (flags := _flags(value)):
        for name, leaf in flags.items():
            yield (*path, f"[{name}]"), leaf
    else:
        yield path, value


@lru_cache(maxsize=256)
def _document(text: str) -> tuple[tuple[Path, Any], ...]:
    try:
        return tuple(leaves(yaml.load(text, Loader=yaml.CSafeLoader)).items())
    except yaml.YAMLError:
        return (((), text),)


def _flags(arguments: list[Any]) -> dict[str, Any]:
    """`--name=value` by name, other arguments by position; nothing if two share a name."""
    named: dict[str, Any] = {}
    for position, argument in enumerate(arguments):
        name, equals, value = str(argument).partition("=")
        is_flag = bool(equals) and name.startswith("--")
        named[name if is_flag else str(position)] = value if is_flag else argument
    known = any(name.startswith("--") for name in named)
    return named if known and len(named) == len(arguments) else {}
