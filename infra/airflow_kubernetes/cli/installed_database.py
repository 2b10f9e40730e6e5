"""The database that is installed: `up` and `preview` refuse to begin again without its data.

An environment with a release has a database. If its claim is gone, or the database is empty, an
`up` would go on to an Airflow without its DAG runs, connections and users. And a server of another
series either changes the data for good or cannot read it (database/series.py).
"""

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ..airflow.migrations import RELEASE_RECORD
from ..console import make_variables, pasteable, say
from ..database import backup as backups
from ..database import mysql
from ..database.inspection import QUERY, inventory_job, query_job
from ..database.series import Series, obstacle, series, series_of_image, text
from ..errors import CommandError
from ..kubectl.client import Kubectl, KubectlError
from ..kubectl.wait import RolloutError, wait
from ..kubernetes.manifest import PROTECTED, Manifest
from ..registry.client import Repository
from ..registry.login import given
from ..registry.reference import NotFoundError, Reference, RegistryError
from ..settings.schema import Settings
from . import installed_release
from .backup import NAMES, job_name
from .target import Target

VERSION = "airflow-kubernetes/mysql-version"
"""Annotation of MySQL's claim: the version of the server that has written on it last."""

PATIENCE = 60.0
"""Seconds for a Job that only looks."""

RECENT = timedelta(days=1)
ANSWER = re.compile(r"^(\d+\.\d+\.\d+)\S*\t(\d+)$", re.MULTILINE)
NO_SUCH_DATABASE = "ERROR 1049"
SHOWN = 5

CLIENT = (
    'MYSQL_PWD="$MYSQL_PASSWORD" mysql --host=127.0.0.1 --user="$MYSQL_USER" --batch '
    '--skip-column-names --execute="$1" "$2" 2>&1 || true'
)


@dataclass(frozen=True)
class Found:
    """The version of a server, None if it did not say it, and whether it has Airflow's database."""

    version: str | None
    empty: bool


def check(target: Target) -> None:
    """Raises CommandError if data is lost, or the image of MySQL does not fit it."""
    kubectl, settings = target.kubectl, target.settings
    claims = {
        claim["metadata"]["name"]: claim
        for claim in kubectl.get("persistentvolumeclaims", f"--selector={PROTECTED}=true")
    }
    for claim in claims.values():
        _check_claim(target, claim)
    installed = None if settings.airflow.stopped else installed_release.release(target)
    if installed:
        _check_claims_exist(target, claims, installed)
    server = next(iter(kubectl.get("statefulset", mysql.NAME)), None)
    found = _look(target, server, installed)
    if installed and found and found.empty:
        database = settings.database
        place = "airflow-mysql" if database.mode == "cluster" else database.external.host
        raise _lost(
            target,
            installed,
            f"the database {database.name} on {place} is empty",
            "set database.name and database.external back, if it is another database",
            claims,
        )
    if settings.database.mode == "cluster":
        _check_series(target, server, found, claims)


def record(target: Target) -> None:
    """Record the version of MySQL in the cluster on its claim: it is needed when no server runs."""
    server = next(iter(target.kubectl.get("statefulset", mysql.NAME)), None)
    if target.settings.database.mode == "cluster" and (found := _look(target, server, None)):
        target.kubectl.run(
            "annotate", "pvc", mysql.NAME, f"{VERSION}={found.version}", "--overwrite"
        )


def _check_claim(target: Target, claim: Manifest) -> None:
    """Raises CommandError if the claim is being deleted, or has lost its volume."""
    name, env = claim["metadata"]["name"], make_variables(target.environment)
    if "deletionTimestamp" in claim["metadata"]:
        raise CommandError(
            f"the claim {name} is being deleted, and its data goes when its last pod ends. Copy "
            f"the data while it is there (make backup {env}; docs/backup.md, Off the cluster)"
        )
    if claim.get("status", {}).get("phase") == "Lost":
        raise CommandError(
            f"the claim {name} has lost its volume {claim['spec'].get('volumeName')}, so no pod "
            "can start with it. Bring the volume back; or delete the claim "
            f"({_kubectl(target.kubectl, 'delete pvc ' + name)}) and run make up {env}, which "
            "says how to continue without it"
        )


def _check_claims_exist(target: Target, claims: dict[str, Manifest], installed: str) -> None:
    """Raises CommandError without MySQL's claim; the loss of backups or logs is only said."""
    if target.settings.database.mode == "cluster" and mysql.NAME not in claims:
        raise _lost(
            target,
            installed,
            f"the claim {mysql.NAME} is gone, and with it the database",
            "if its volume is still there (kubectl get pv), bind a claim of that name to it; if "
            "database.mode was external, set it back",
            claims,
        )
    if backups.CLAIM not in claims:
        say(f"warning: the claim {backups.CLAIM} is gone, and with it all backups: a new one")


def _look(target: Target, server: Manifest | None, installed: str | None) -> Found | None:
    """What the database is; None if that cannot be known, or no question depends on it."""
    kubectl, settings = target.kubectl, target.settings
    try:
        if settings.database.mode == "external":
            if not installed:
                return None
            answer = _log_of(kubectl, query_job(settings, job_name("query")))
        else:
            if server is None or not server.get("status", {}).get("readyReplicas"):
                return None
            shell = ("sh", "-c", CLIENT, "sh", QUERY, settings.database.name)
            pod = f"{mysql.NAME}-0"
            answer = kubectl.run("exec", pod, f"--container={mysql.COMPONENT}", "--", *shell)
    except (KubectlError, RolloutError) as error:
        say(f"warning: the database could not be read before anything changes: {error}")
        return None
    return parsed(answer)


def parsed(answer: str) -> Found | None:
    """What the client printed for QUERY; None if it is neither an answer nor a missing database."""
    if NO_SUCH_DATABASE in answer:
        return Found(None, empty=True)
    found = ANSWER.search(answer)
    return Found(found[1], empty=found[2] == "0") if found else None


def _log_of(kubectl: Kubectl, job: Manifest) -> str:
    """The log of a Job that only looks. Raises KubectlError, or RolloutError if it fails."""
    name = job["metadata"]["name"]
    kubectl.run("create", "--filename=-", objects=[job])
    try:
        wait(kubectl, [job], PATIENCE)
        return kubectl.run("logs", f"job/{name}")
    finally:
        kubectl.run("delete", "job", name, "--ignore-not-found", "--wait=false")


def _lost(
    target: Target, installed: str, what: str, remedy: str, claims: dict[str, Manifest]
) -> CommandError:
    env, kubectl = make_variables(target.environment), target.kubectl
    names = _backups(target, claims, target.settings.database.cluster.image)
    newest = names[-1] if names else "<backup>"
    listed = ", ".join(reversed(names[-SHOWN:])) or "none, or they cannot be listed now"
    forget = _kubectl(kubectl, f"delete configmap {RELEASE_RECORD} --ignore-not-found")
    return CommandError(
        f"{what}, and Airflow {installed} is installed in namespace {kubectl.namespace}: make up "
        "would begin again without its DAG runs, connections and users. Nothing was changed.\n"
        f"  The data is elsewhere: {remedy}.\n"
        f"  Load a backup: set airflow.stopped: true in values/{target.environment}.yaml, make up "
        f"{env}, make restore FROM={newest} {env}, remove airflow.stopped, make up {env}.\n"
        f"  The newest backups on the volume: {listed}.\n"
        f"  Begin again without the data: make down {env}, {forget}, make up {env}"
    )


def _kubectl(kubectl: Kubectl, command: str) -> str:
    return pasteable(
        f"kubectl --context {kubectl.context} --namespace {kubectl.namespace} {command}"
    )


def _backups(target: Target, claims: dict[str, Manifest], image: str) -> list[str]:
    """The names of the complete backups, oldest first; none if they cannot be listed."""
    if claims.get(backups.CLAIM, {}).get("status", {}).get("phase") != "Bound":
        return []
    job = inventory_job(target.settings, job_name("inventory"), image)
    with suppress(KubectlError, RolloutError):
        lines = _log_of(target.kubectl, job).split()
        return [line for line in lines if re.fullmatch(NAMES, line)]
    return []


def _check_series(
    target: Target, server: Manifest | None, found: Found | None, claims: dict[str, Manifest]
) -> None:
    """Raises CommandError if MySQL's new image cannot read the data, or may do so for good."""
    image, env = target.settings.database.cluster.image, make_variables(target.environment)
    runs = server and server["spec"]["template"]["spec"]["containers"][0]["image"]
    annotations = claims.get(mysql.NAME, {}).get("metadata", {}).get("annotations", {})
    version = (found and found.version) or annotations.get(VERSION)
    held = series(version) if version else None
    if image == runs or held is None:
        return
    wanted, exists = _series_of(target.settings, image)
    if wanted == held or not exists:
        return
    place = f"database.cluster.image: {image}"
    if reason := obstacle(held, wanted):
        raise CommandError(
            f"{place}: {reason}, which is on the claim {mysql.NAME}. Nothing was changed. Set an "
            f"image of MySQL {text(held)}; or load a backup into a new database: "
            "docs/database.md, Another MySQL series"
        )
    since = f"{datetime.now(UTC) - RECENT:%Y%m%dT%H%M%SZ}"
    if not any(name > since for name in _backups(target, claims, runs or image)):
        series_of_it = f"is of MySQL {text(wanted)}" if wanted else "does not say its MySQL version"
        raise CommandError(
            f"{place} {series_of_it}, and the data is of MySQL {version}: a server of another "
            "series changes it for good. That requires a backup of the last 24 hours. Nothing was "
            f"changed: run make backup {env}, with the former image in the values, and then this "
            "command again"
        )


def _series_of(settings: Settings, image: str) -> tuple[Series | None, bool]:
    """The series of MySQL in an image, None if it does not say it; and whether it may exist."""
    reference, variables, exists = Reference.parse(image), dict[str, str](), True
    own = image.startswith(f"{settings.images.registry.partition('/')[0]}/")
    try:
        with Repository(reference.name, given() if own else None) as repository:
            variables = repository.variables(reference.digest or reference.tag or "latest")
    except NotFoundError:
        exists = False
    except RegistryError as error:
        say(f"warning: the version of MySQL in {image} is unknown: {error}")
    found = series_of_image(reference.tag, variables)
    return found, exists or found is not None
