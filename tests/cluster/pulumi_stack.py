"""A stack of its own in a copy of the checkout: state, lock and volumes of one test."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airflow_kubernetes.environment import SET

from .kinds_of_change import Kind, copy


@dataclass(frozen=True)
class Stack:
    """The CLI on the stack `sandbox`, its state and caches below `folder`."""

    folder: Path
    overrides: str

    @property
    def environment(self) -> dict[str, str]:
        """What the CLI and the program read."""
        return {
            **os.environ,
            "PULUMI_BACKEND_URL": f"file://{self.folder / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": "sandbox",
            "XDG_CACHE_HOME": str(self.folder / "cache"),
        }

    def start(self) -> None:
        """A stack with nothing in it, in a copy of the checkout as it is."""
        (self.folder / "state").mkdir()
        copy(Kind("before"), self.checkout("before"), self.folder / "cache")
        self.run("before", "stack", "init")

    def checkout(self, name: str) -> Path:
        """The copy of the checkout that a kind of change runs in."""
        return self.folder / name

    def run(self, name: str, *args: str, overrides: str = "", ok: bool = True) -> str:
        """Standard output of the CLI."""
        done = subprocess.run(
            ["pulumi", "--cwd", str(self.checkout(name)), *args, "--stack", "sandbox"],
            env={
                **self.environment,
                "XDG_CACHE_HOME": str(self.checkout(name) / "cache"),
                SET: overrides or self.overrides,
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert not ok or done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def preview(self, kind: Kind, overrides: str) -> dict[str, Any]:
        """`pulumi preview --json`, even of what it refuses."""
        name = "before"
        if kind.edits:
            name = kind.name
            copy(kind, self.checkout(name), self.folder / "cache")
        found: dict[str, Any] = json.loads(
            self.run(name, "preview", "--json", overrides=overrides, ok=False)
        )
        return found
