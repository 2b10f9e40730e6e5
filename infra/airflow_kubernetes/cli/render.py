"""`make render`: the Kubernetes objects of an environment as YAML."""

import yaml

from ..render import objects
from .target import Target


def render(target: Target) -> None:
    """Print every object, Secrets with placeholders."""
    print(yaml.safe_dump_all(objects(target.environment, target.overrides), sort_keys=True), end="")
