"""`make env`: a new environment, NAME, that begins as FROM is."""

import os

import yaml

from ..parity.environment import create


def env() -> None:
    """Write the new environment's files; print what hardly fits both. Raises SettingsError."""
    name, source = os.environ.get("NAME", ""), os.environ.get("FROM", "")
    doubts = create(name, source)
    print(f"made values/{name}.yaml and Pulumi.{name}.yaml: the same as {source} so far")
    print("look at these:")
    for one in doubts:
        value = yaml.safe_dump(one.value, default_flow_style=True, width=1000)
        print(f"  {one.place}: {one.what}: {value.splitlines()[0]}")
    print(f"then: make check, make parity A={source} B={name}, make up ENV={name}")
