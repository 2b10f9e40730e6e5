"""The resources that an environment's program registers, in a form that can be compared."""

import json
import logging
from collections.abc import Iterable
from dataclasses import replace
from functools import cache

from ..comparison.leaves import MISSING, Difference, differences
from ..render import Registered, registered
from ..settings.schema import Settings

REGISTRY = "[registry]"
"""Replaces the address of the environment's registry: promotion copies images with their digest."""

_SILENT = logging.Logger("parity", logging.CRITICAL + 1)

Resources = dict[str, Registered]
"""By kind and name, a Job's without the hash (`Deployment airflow-web`); see `comparable`."""


@cache
def render(environment: str, values: str) -> Resources:
    """The resources of an environment with the given settings (JSON), consistent or not."""
    settings = Settings.model_validate_json(values)
    return comparable(registered(environment, settings, logger=_SILENT), settings.images.registry)


def comparable(found: Iterable[Registered], registry: str) -> Resources:
    """With Pulumi's options among the inputs, and without the registry's address."""
    result = {}
    for item in found:
        kind = item.type.rpartition(":")[2]
        inputs = item.inputs | ({"pulumi": item.options} if item.options else {})
        name = f"{kind} {item.name.removesuffix(f'-{kind.lower()}')}"
        shown = json.dumps(inputs).replace(f"{registry}/", f"{REGISTRY}/")
        result[name] = replace(item, inputs=json.loads(shown))
    return result


def changes(old: Resources, new: Resources) -> list[Difference]:
    """Every difference, its path beginning with the resource.

    A resource that only one side has is one difference, its name instead of its inputs.
    """
    result = [
        Difference((name,), *(name if name in side else MISSING for side in (old, new)))
        for name in sorted(old.keys() ^ new.keys())
    ]
    both = [name for name in old.keys() & new.keys() if old[name].inputs != new[name].inputs]
    before, after = ({name: side[name].inputs for name in both} for side in (old, new))
    return result + differences(before, after)
