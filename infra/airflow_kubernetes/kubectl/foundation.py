"""Phase 1 of the kubectl engine: the namespace, what holds data, and generated secrets.

Applied outside any set and never pruned. The cluster's Secret is the only record of a generated
value: it is read, never drawn a second time beside the data that it opens.
"""

import base64
from collections.abc import Callable, Iterable

from ..errors import UserError
from ..images.pull_secret import pull_secret
from ..kubernetes.manifest import PROTECTED, Manifest, is_protected
from ..kubernetes.namespace import ENGINE
from ..kubernetes.pull_secret import PULL_SECRET, makes_pull_secret
from ..registry import login
from ..secrets import Generated, draw, secret
from ..settings.schema import Settings
from .client import OWNED, Kubectl
from .diff import differences


class FoundationError(UserError):
    """The cluster's records and the data do not fit together; nothing was changed."""


def engine_of(kubectl: Kubectl) -> str | None:
    """The engine recorded on the namespace, None before the first `up`."""
    for obj in kubectl.get("namespace", kubectl.namespace):
        recorded: str | None = obj["metadata"].get("annotations", {}).get(ENGINE)
        return recorded
    return None


def check(kubectl: Kubectl, wanted: Iterable[Generated]) -> list[Generated]:
    """The Secrets that have to be made. Raises FoundationError; touches nothing."""
    there = {obj["metadata"]["name"]: obj for obj in kubectl.get("secrets")}
    selector = f"--selector={PROTECTED}=true"
    claims = [obj["metadata"]["name"] for obj in kubectl.get("persistentvolumeclaims", selector)]
    return missing(wanted, there, claims)


def missing(
    wanted: Iterable[Generated], there: dict[str, Manifest], claims: list[str]
) -> list[Generated]:
    """Those of `wanted` that are not `there` (Secrets by name), beside the protected `claims`.

    Raises FoundationError where a Secret does not fit: claims are made after the Secrets, so a
    claim without one means that it was lost, and with it the access to what the claim, or an
    external database, holds.
    """
    result = []
    for one in wanted:
        existing = there.get(one.name)
        if existing is not None:
            _check_values(one, existing.get("data", {}))
        elif claims and one.of_data:
            raise FoundationError(
                f"the claim {claims[0]} shows that Airflow ran here, but the Secret {one.name} "
                "that belongs to its data is gone. Restore the Secret from a backup; or, if the "
                f"data is not needed, delete the claims: kubectl delete pvc {' '.join(claims)}"
            )
        else:
            result.append(one)
    return result


def _check_values(one: Generated, values: dict[str, str]) -> None:
    lacking = sorted({*one.plain, *one.keys} - set(values))
    if lacking:
        raise FoundationError(
            f"the Secret {one.name} has no {', '.join(lacking)}. Restore it from a backup, or add "
            "what is missing with kubectl edit"
        )
    for key, value in one.plain.items():
        recorded = base64.b64decode(values[key]).decode()
        if recorded != value:
            raise FoundationError(
                f"the Secret {one.name} says {key}: {recorded}, the values say {value}. It was "
                "made with the database and does not change with the values; set the value back"
            )


def check_login(kubectl: Kubectl, settings: Settings) -> None:
    """Raises FoundationError if pods need a Secret to pull with, and nothing makes it."""
    if not makes_pull_secret(settings) or login.given() is not None:
        return
    if not kubectl.get("secret", PULL_SECRET):
        raise FoundationError(
            f"images.login is set and there is no Secret {PULL_SECRET} yet: set {login.USER} and "
            f"{login.PASSWORD} for this command; the Secret keeps them for the cluster"
        )


def lay(
    kubectl: Kubectl,
    settings: Settings,
    wanted: Iterable[Generated],
    objects: Iterable[Manifest],
    say: Callable[[str], None],
) -> None:
    """Create what is missing and bring namespace, claims and the registry's login up to date.

    Raises FoundationError before anything is touched.
    """
    new = check(kubectl, wanted)
    check_login(kubectl, settings)
    protected = [obj for obj in objects if is_protected(obj)]
    _apply(kubectl, [obj for obj in protected if obj["kind"] == "Namespace"])
    # Secrets before claims: a claim without its Secret is refused, so it must never be left by
    # an update that was interrupted.
    for one in new:
        obj = secret(settings, one)
        obj["stringData"] |= {key: draw(kind) for key, kind in one.keys.items()}
        kubectl.run("create", "--filename=-", objects=[obj])
        say(f"  Secret {one.name}: generated")
    if makes_pull_secret(settings) and (own := login.given()) is not None:
        config = login.docker_config(settings.images.registry, own.user, own.password)
        _apply(kubectl, [pull_secret(settings, config)])
    claims = [obj for obj in protected if obj["kind"] == "PersistentVolumeClaim"]
    for change in differences(kubectl, claims):
        say(f"  {change}")
    _apply(kubectl, claims)


def _apply(kubectl: Kubectl, objects: list[Manifest]) -> None:
    if objects:
        kubectl.run("apply", *OWNED, "--filename=-", objects=objects)
