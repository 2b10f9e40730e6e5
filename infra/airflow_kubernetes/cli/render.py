"""`make render`: the Kubernetes objects of an environment as YAML."""

import yaml

from ..render import objects
from ..settings.document import Dumper
from .target import Target


def render(target: Target) -> None:
    """Print every object, Secrets with placeholders."""
    rendered = objects(target.environment, target.overrides)
    print(yaml.dump_all(rendered, Dumper=Dumper, sort_keys=True), end="")
