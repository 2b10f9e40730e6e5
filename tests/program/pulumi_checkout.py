"""A copy of the project with a Pulumi backend of its own, and no cluster."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from airflow_kubernetes.airflow import image_catalog
from airflow_kubernetes.environment import SET
from airflow_kubernetes.images import lock
from airflow_kubernetes.settings.schema import Settings

from .conftest import ROOT


@dataclass(frozen=True)
class Checkout:
    """`variables` are the environment of its commands."""

    root: Path
    variables: dict[str, str]

    def run(self, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
        """A command there, with more variables."""
        return subprocess.run(
            command,
            cwd=self.root,
            env={**self.variables, **more},
            capture_output=True,
            text=True,
            check=False,
        )

    def lock_images(self, settings: Settings) -> None:
        """Write the images of some settings into their lock, with an invented digest."""
        entries = {
            lock.key(settings, spec.name, spec.tag): lock.Entry(spec.tag, f"sha256:{'0' * 64}")
            for spec in image_catalog.every(settings)
        }
        cached = settings.images.lock == "cache"
        file = lock.path(settings) if cached else self.root / "images.lock.yaml"
        lock.update(file, entries)


def checkout(folder: Path, environment: str, overrides: str) -> Checkout:
    """A copy for one environment: creating a stack writes a salt into its configuration file."""
    root = folder / "checkout"
    for name in ("infra", "values", "images", "dags"):
        shutil.copytree(ROOT / name, root / name)
    stack = f"Pulumi.{environment}.yaml"
    for name in ("Pulumi.yaml", stack, "images.lock.yaml", "policies.yaml"):
        shutil.copy(ROOT / name, root / name)
    (root / ".venv").symlink_to((ROOT / ".venv").resolve())
    variables = {
        "PULUMI_HOME": str(Path.home() / ".pulumi"),
        **os.environ,
        "PULUMI_BACKEND_URL": f"file://{folder}",
        "PULUMI_CONFIG_PASSPHRASE": "sandbox",
        # No cluster: a preview against one also reports the cluster's objections to the objects.
        "KUBECONFIG": os.devnull,
        "HOME": str(folder),
        "XDG_CACHE_HOME": str(folder / ".cache"),
        SET: overrides,
    }
    return Checkout(root, variables)
