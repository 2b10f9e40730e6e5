"""Rendering and the real engine give the same objects."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from airflow_kubernetes.environment import load
from airflow_kubernetes.settings.load import environments

from .pulumi_checkout import checkout


def mask(obj: dict[str, Any]) -> dict[str, Any]:
    """The object as `pulumi preview --json` shows it: a Secret's values as one `[secret]`."""
    return {**obj, "stringData": "[secret]"} if obj["kind"] == "Secret" else obj


@pytest.mark.pulumi
@pytest.mark.parametrize("environment", environments())
def test_pulumi_registers_what_is_rendered(
    environment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = checkout(tmp_path, environment, "engine=pulumi")

    def run(*command: str, **more: str) -> str:
        done = project.run(*command, **more)
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    # Built images, so that their digests are known to both; building is not what is compared.
    settings = load(environment)
    monkeypatch.setenv(
        "XDG_CACHE_HOME", project.variables["XDG_CACHE_HOME"]
    )  # no base is pinned there
    project.lock_images(settings)
    run("pulumi", "stack", "init", environment)
    steps = json.loads(run("pulumi", "preview", "--json", "--stack", environment))["steps"]
    registered = {
        (inputs["kind"], inputs["metadata"]["name"]): inputs
        for inputs in (step["newState"].get("inputs", {}) for step in steps)
        if "apiVersion" in inputs
    }
    text = run(
        sys.executable,
        "-m",
        "airflow_kubernetes",
        "render",
        environment,
        "--set=engine=pulumi",
        PYTHONPATH="infra",
    )
    rendered = {
        (obj["kind"], obj["metadata"]["name"]): mask(obj) for obj in yaml.safe_load_all(text)
    }
    assert len(rendered) > 20
    for key, obj in rendered.items():
        assert registered.pop(key) == obj
    assert registered == {}
