"""Phase 1 of the kubectl engine: the namespaces, what holds data, and generated secrets.

Never pruned. The cluster's Secret is the only record of a generated
value: it is read, and never generated a second time for data that it gives access to.
"""

import base64
from collections.abc import Iterable

from pydantic.alias_generators import to_camel

from ..console import say
from ..errors import UserError
from ..images.pull_secret import launched_pull_secret, pull_secret
from ..kubernetes.manifest import PROTECTED, Manifest, is_protected
from ..kubernetes.namespace import ENGINE, labelled_for_launched_pods
from ..kubernetes.pull_secret import PULL_SECRET, makes_pull_secret
from ..registry import login
from ..secrets import (
    ADMIN_PASSWORD,
    ADMIN_SECRET,
    EXISTING,
    FERNET_KEY,
    KEYS_SECRET,
    MYSQL_PASSWORD,
    MYSQL_ROOT_PASSWORD,
    MYSQL_SECRET,
    Generated,
    draw,
    existing,
    place,
    secret,
)
from ..settings.schema import Settings
from .client import OWNED, Kubectl
from .diff import differences


class FoundationError(UserError):
    """The cluster's Secrets do not fit its data or the values; nothing was changed."""


def namespace_of(kubectl: Kubectl) -> Manifest | None:
    """The namespace, None before the first `up`.

    Raises FoundationError while it is being deleted: nothing can be created in it.
    """
    for obj in kubectl.get("namespace", kubectl.namespace):
        if "deletionTimestamp" in obj["metadata"]:
            raise FoundationError(
                f"the namespace {kubectl.namespace} is being deleted, with everything in it (since "
                f"{obj['metadata']['deletionTimestamp']}). Wait until it is gone: kubectl "
                f"--context {kubectl.context} wait --for=delete namespace/{kubectl.namespace} "
                "--timeout=10m. Then the next make up begins a new, empty environment"
            )
        return obj
    return None


def engine_of(kubectl: Kubectl) -> str | None:
    """The engine recorded on the namespace, None before the first `up`.

    Raises FoundationError while the namespace is being deleted.
    """
    namespace = namespace_of(kubectl) or {"metadata": {}}
    recorded: str | None = namespace["metadata"].get("annotations", {}).get(ENGINE)
    return recorded


def check(kubectl: Kubectl, secrets: Iterable[Generated]) -> list[Generated]:
    """Those of the program's generated `secrets` that the cluster lacks; changes nothing.

    Raises FoundationError where a Secret does not fit: claims are created after the Secrets, so a
    claim without its Secret means that the Secret was lost, and with it the access to the data in
    the claim or in an external database.
    """
    existing = {obj["metadata"]["name"]: obj for obj in kubectl.get("secrets")}
    selector = f"--selector={PROTECTED}=true"
    claims = [obj["metadata"]["name"] for obj in kubectl.get("persistentvolumeclaims", selector)]
    result = []
    for generated in secrets:
        obj = existing.get(generated.name)
        if obj is not None:
            _check_values(generated, obj.get("data", {}))
        elif claims and generated.of_data:
            raise FoundationError(
                f"the claim {claims[0]} shows that Airflow ran here, but the Secret "
                f"{generated.name} that belongs to its data is gone. Restore the Secret from a "
                "backup; or, if the data is not needed, delete the claims: "
                f"kubectl delete pvc {' '.join(claims)}"
            )
        else:
            result.append(generated)
    return result


def _check_values(generated: Generated, values: dict[str, str]) -> None:
    lacking = sorted({*generated.plain, *generated.keys} - set(values))
    if lacking:
        raise FoundationError(
            f"the Secret {generated.name} has no {', '.join(lacking)}. Restore it from a backup, "
            "or add what is missing with kubectl edit"
        )
    for key, value in generated.plain.items():
        recorded = base64.b64decode(values[key]).decode()
        if recorded != value:
            raise FoundationError(
                f"the Secret {generated.name} says {key}: {recorded}, the values say {value}. It "
                "was made with the database and does not change with the values; set the value back"
            )


OF_DATA = (
    (KEYS_SECRET, FERNET_KEY),
    (ADMIN_SECRET, ADMIN_PASSWORD),
    (MYSQL_SECRET, MYSQL_PASSWORD),
    (MYSQL_SECRET, MYSQL_ROOT_PASSWORD),
)
"""Values with which data was written, so that another one gives no access to it."""


def check_existing(kubectl: Kubectl, settings: Settings) -> None:
    """Raises FoundationError where an existing Secret would take the place of a generated value,
    and has another one than the data was written with.
    """
    taken = [item for item in OF_DATA if existing(settings, *item) is not None]
    if not taken:
        return
    data = {obj["metadata"]["name"]: obj.get("data", {}) for obj in kubectl.get("secrets")}
    for name, key in taken:
        own, source = data.get(name, {}).get(key), place(settings, name, key)
        given = data.get(source[0], {}).get(source[1])
        if own is None or given is None:
            continue
        old, new = (base64.b64decode(text).decode() for text in (own, given))
        # Airflow encrypts with the first of several fernet keys, and decrypts with all.
        if old not in (new.split(",") if key == FERNET_KEY else [new]):
            raise FoundationError(
                f"the Secret {source[0]} (key {source[1]}) has another value than the Secret "
                f"{name} (key {key}), with which the data here was written: copy that value "
                f"there first, or remove secrets.{to_camel(EXISTING[name, key])} from the values"
            )


def check_namespaces(kubectl: Kubectl, settings: Settings) -> None:
    """Raises FoundationError where another Airflow uses one of the two namespaces.

    Its tasks could create pods next to these Secrets, or these tasks next to its Secrets.
    """
    name = settings.namespace
    if any(map(labelled_for_launched_pods, kubectl.get("namespace", name))):
        raise FoundationError(
            f"the namespace {name} is for the pods that tasks of another Airflow launch, which "
            "may use every Secret in it: set another namespace"
        )
    if settings.airflow.tasks.launch_pods and kubectl.tasks.get("secret", KEYS_SECRET):
        raise FoundationError(
            f"tasks launch pods in {kubectl.tasks.namespace}, and another Airflow is there, whose "
            "Secrets these pods could use: set another namespace, or airflow.tasks.launchPods: "
            "false"
        )


def check_login(kubectl: Kubectl, settings: Settings) -> None:
    """Raises FoundationError if pods need a Secret to pull images with, and there is none."""
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
    secrets: Iterable[Generated],
    objects: Iterable[Manifest],
) -> None:
    """Create what is missing; update namespaces, claims and the registry's login.

    Raises FoundationError before it changes anything.
    """
    check_namespaces(kubectl, settings)
    new = check(kubectl, secrets)
    check_login(kubectl, settings)
    protected = [obj for obj in objects if is_protected(obj)]
    _apply(kubectl, [obj for obj in protected if obj["kind"] == "Namespace"])
    # Secrets before claims: a claim without its Secret is refused, so an interrupted update must
    # not leave one.
    for generated in new:
        obj = secret(settings, generated)
        obj["stringData"] |= {key: draw(kind) for key, kind in generated.keys.items()}
        kubectl.run("create", "--filename=-", objects=[obj])
        say(f"  Secret {generated.name}: generated")
    if makes_pull_secret(settings) and (own := login.given()) is not None:
        config = login.docker_config(settings.images.registry, own.user, own.password)
        _apply(kubectl, [pull_secret(settings, config)])
    if makes_pull_secret(settings) and settings.airflow.tasks.launch_pods:
        _copy_pull_secret(kubectl, settings)
    claims = [obj for obj in protected if obj["kind"] == "PersistentVolumeClaim"]
    for change in differences(kubectl, claims):
        say(f"  {change}")
    _apply(kubectl, claims)


def _copy_pull_secret(kubectl: Kubectl, settings: Settings) -> None:
    """Launched pods pull images with the same login."""
    (original,) = kubectl.get("secret", PULL_SECRET)
    config = base64.b64decode(original["data"][".dockerconfigjson"]).decode()
    _apply(kubectl, [launched_pull_secret(settings, config)])


def _apply(kubectl: Kubectl, objects: list[Manifest]) -> None:
    if objects:
        kubectl.run("apply", *OWNED, "--filename=-", objects=objects)
