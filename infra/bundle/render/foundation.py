"""Phase 1 of the kubectl engine: the namespace, what holds data, and generated secrets.

Applied outside any set and never pruned. The cluster's Secret is the only record of a generated
value: it is read, never drawn a second time beside the data that it opens.
"""

import base64
from collections.abc import Callable, Iterable

from ..credentials import Generated, secret
from ..database import mysql
from ..generation import draw
from ..kubernetes.metadata import Manifest, is_protected
from ..kubernetes.namespace import ENGINE
from ..settings.schema import Settings
from .kubectl import OWNED, Kubectl


class FoundationError(Exception):
    """The cluster's records and the data do not fit together; nothing was changed."""


def engine_of(kubectl: Kubectl) -> str | None:
    """The engine recorded on the namespace, None before the first `up`."""
    for obj in kubectl.get("namespace", kubectl.namespace):
        recorded: str | None = obj["metadata"].get("annotations", {}).get(ENGINE)
        return recorded
    return None


def lay(
    kubectl: Kubectl,
    settings: Settings,
    wanted: Iterable[Generated],
    objects: Iterable[Manifest],
    say: Callable[[str], None],
) -> None:
    """Create what is missing. Raises FoundationError before anything is touched."""
    protected = [obj for obj in objects if is_protected(obj)]
    namespaces = [obj for obj in protected if obj["kind"] == "Namespace"]
    claims = [obj for obj in protected if obj["kind"] == "PersistentVolumeClaim"]
    there = {obj["metadata"]["name"]: obj for obj in kubectl.get("secrets")}
    holds_data = bool(kubectl.get("persistentvolumeclaim", mysql.NAME))
    missing = [one for one in wanted if _is_missing(one, there, holds_data)]
    _apply(kubectl, namespaces)
    # Secrets before claims: a claim without its Secret is refused, so it must never be left by
    # an update that was interrupted.
    for one in missing:
        obj = secret(settings, one)
        obj["stringData"] |= {key: draw(kind) for key, kind in one.keys.items()}
        kubectl.run("create", "--filename=-", objects=[obj])
        say(f"Secret {one.name}: generated")
    _apply(kubectl, claims)


def _is_missing(one: Generated, there: dict[str, Manifest], holds_data: bool) -> bool:
    existing = there.get(one.name)
    if existing is None:
        if holds_data:
            raise FoundationError(
                f"the claim {mysql.NAME} holds a database, but the Secret {one.name} that belongs "
                f"to it is gone. Restore the Secret from a backup; or, if the data is not needed, "
                f"delete the claim: kubectl delete pvc {mysql.NAME}"
            )
        return True
    values = existing.get("data", {})
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
    return False


def _apply(kubectl: Kubectl, objects: list[Manifest]) -> None:
    if objects:
        kubectl.run("apply", *OWNED, "--filename=-", objects=objects)
