"""`make adopt`: from the kubectl engine to Pulumi, with every object left as it is.

`pulumi import` cannot do it: it records an object with all the fields that the API server filled
in, so that the next update changes each, and a RandomPassword that it imports is replaced.
"""

import base64
import json
from typing import Any

from ..console import say
from ..errors import CommandError
from ..kubectl import apply
from ..kubectl.client import MANAGER
from ..kubectl.foundation import engine_of
from ..kubernetes.namespace import ENGINE
from ..render import objects
from ..secrets import generated
from . import build, pulumi_cli, stack
from .target import Target
from .up import up

KUBERNETES = "kubernetes:"


def adopt(target: Target) -> None:
    """Write what the kubectl engine deployed into the environment's stack, then `up` with Pulumi.

    Can be repeated until the namespace records Pulumi, which is the last step. Raises CommandError,
    before it changes anything if objects differ from the program.
    """
    _check(target)
    if target.settings.images.build:
        build.pin_bases(target.settings)
    name = target.environment
    pulumi_cli.run(name, "stack", "select", "--create")
    say("  providers, passwords and images, without an object of the cluster")
    without = ("up", "--yes", "--skip-preview", f"--exclude=**${KUBERNETES}**")
    pulumi_cli.run(name, *without, overrides=target.overrides)
    state = stack.export(target, "--show-secrets")
    resources = state["deployment"]["resources"]
    _set_passwords(target, resources)
    preview = ("preview", f"--stack={name}")
    planned = pulumi_cli.read(name, *preview, overrides=target.overrides)["steps"]
    known = {resource["urn"] for resource in resources}
    found = [_recorded(step["newState"]) for step in planned if step["urn"] not in known]
    resources += found
    stack.load(target, state)
    say(f"  {len(found)} objects are in the stack {name}")
    engine = f"{ENGINE}=pulumi"
    target.kubectl.run("annotate", "--overwrite", "namespace", target.settings.namespace, engine)
    up(target)


def _check(target: Target) -> None:
    """Raises CommandError unless the kubectl engine deployed exactly what the program describes."""
    settings, env = target.settings, f"ENV={target.environment}"
    if settings.engine == "kubectl":
        raise CommandError(
            f"values/{target.environment}.yaml says engine: kubectl; write engine: pulumi, and run "
            f"make adopt {env} again"
        )
    if engine_of(target.kubectl) != "kubectl":
        raise CommandError(
            f"namespace {settings.namespace} was not deployed by the kubectl engine; make up {env} "
            "deploys it with Pulumi"
        )
    rendered = objects(target.environment, target.overrides)
    described = [obj for obj in rendered if obj["kind"] != "Namespace"]
    if changes := apply.changes(target.kubectl, described):
        raise CommandError(
            f"these objects differ from the program: {', '.join(changes)}. Deploy them first with "
            f"the kubectl engine (engine: kubectl, make up {env}), so that adopting changes nothing"
        )


def _set_passwords(target: Target, resources: list[dict[str, Any]]) -> None:
    """Give the random provider's resources the values that the cluster's Secrets have."""
    secrets = {obj["metadata"]["name"]: obj["data"] for obj in target.kubectl.get("secrets")}
    values = {
        f"{item.name}-{key}": base64.b64decode(secrets[item.name][key]).decode()
        for item in generated(target.settings)
        for key in item.keys
    }
    for resource in resources:
        if resource["type"].startswith("random:"):
            value = values[resource["urn"].rpartition("::")[2]]
            resource["outputs"]["result"]["plaintext"] = json.dumps(value)


def _recorded(planned: dict[str, Any]) -> dict[str, Any]:
    """A planned object as one that exists; the refresh of `up` reads the rest of it.

    With the field manager of the kubectl engine Pulumi owns the fields that the object has.
    """
    inputs = planned["inputs"]
    if planned["type"].endswith(":Secret"):  # a preview does not show its values
        inputs = {key: inputs[key] for key in inputs if key not in ("data", "stringData")}
    parts = (inputs["metadata"].get("namespace"), inputs["metadata"]["name"])
    identity = "/".join(part for part in parts if part)
    return {**planned, "id": identity, "inputs": inputs, "outputs": {"__fieldManager": MANAGER}}
