"""What is predicted of each kind of change, against what the API server makes of it.

Nothing runs: a quota forbids pods. The objects of "before" are there, and those of "after" are
applied without being kept (`dryRun=All`).
"""

import json
import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from airflow_kubernetes.comparison.changes import Change, Operation, compare
from airflow_kubernetes.comparison.leaves import dotted
from airflow_kubernetes.comparison.replacement import IDENTITY
from airflow_kubernetes.kubernetes.order import ORDER
from airflow_kubernetes.render import objects

from .conftest import COMMAND, Deployment, in_namespace, wait_for
from .kinds_of_change import KINDS, Kind, copy, lock_images, values
from .volumes import bound_volumes

pytestmark = pytest.mark.cluster

Object = dict[str, Any]

PLURALS = {kind: f"{kind.lower()}s" for kind in ORDER}  # no kind of this program has another plural
MANAGER = "fieldManager=airflow-kubernetes&force=true"
MADE_BY_SERVER = ("managedFields", "resourceVersion", "generation")


class Api:
    """The API server, through `kubectl proxy`."""

    def __init__(self, url: str) -> None:
        self._url, self._session = url, requests.Session()

    def apply(self, obj: Object, more: str = "") -> requests.Response:
        """Server-side apply, as kubectl does it."""
        return self._session.patch(
            f"{self._url}{_place(obj)}?{MANAGER}{more}",
            data=json.dumps(obj),
            headers={"Content-Type": "application/apply-patch+yaml"},
            timeout=30,
        )

    def get(self, obj: Object) -> Object | None:
        """The object as it is, None if it is not there."""
        answer = self._session.get(self._url + _place(obj), timeout=30)
        if answer.status_code == requests.codes.not_found:
            return None
        answer.raise_for_status()
        found: Object = answer.json()
        return found


def _place(obj: Object) -> str:
    version, metadata = obj["apiVersion"], obj["metadata"]
    namespace = f"/namespaces/{metadata['namespace']}" if "namespace" in metadata else ""
    root = "apis" if "/" in version else "api"
    return f"/{root}/{version}{namespace}/{PLURALS[obj['kind']]}/{metadata['name']}"


@pytest.fixture(scope="module")
def place(sandbox: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A namespace in which no pod may be; its claims are bound, to volumes that may grow."""
    deployment = in_namespace("airflow-changes", 30093)
    deployment.remove(wait=True)
    with bound_volumes(deployment, tmp_path_factory.mktemp("volumes")):
        try:
            yield deployment
        finally:
            deployment.remove()


@pytest.fixture(scope="module")
def api(place: Deployment) -> Iterator[Api]:
    with subprocess.Popen(
        ["kubectl", "proxy", "--port=0"], stdout=subprocess.PIPE, text=True
    ) as proxy:
        assert proxy.stdout is not None
        yield Api(f"http://{proxy.stdout.readline().split()[-1]}")
        proxy.terminate()


def rendered(kind: Kind, overrides: str, folder: Path, cache: Path) -> list[Object]:
    """What the program makes of it; a copy of the checkout and of `cache` goes below `folder`."""
    if not kind.edits:
        return objects("sandbox", overrides)
    checkout = copy(kind, folder / kind.name, cache)
    text = subprocess.run(
        [*COMMAND, "render", "sandbox", f"--set={overrides}"],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": "infra", "XDG_CACHE_HOME": str(checkout / "cache")},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return list(yaml.load_all(text, Loader=yaml.CSafeLoader))


def expected(change: Change) -> set[str]:
    """What an apply of the new object may answer."""
    if change.refused and not change.kept:
        return {"refused"}
    same_object = not any(path in IDENTITY for path in change.replacing)
    if change.kind == "Job" and same_object and change.replacing:
        # It runs an image that was built again: `make up` deletes it first (kubectl/apply.py).
        return {"refused"}
    if change.operation is Operation.CREATE or not same_object:
        return {"create"}
    # The server may see no difference: in what is its default anyway.
    return {"update", "unchanged"}


def seen(api: Api, obj: Object, live: Object | None) -> tuple[str, str]:
    """What the API server makes of an object, and its words where it refuses."""
    answer = api.apply(obj, "&dryRun=All")
    if answer.ok:
        if live is None:
            return "create", ""
        return "unchanged" if _plain(answer.json()) == _plain(live) else "update", ""
    message = answer.json()["message"]
    if live is None and answer.status_code == requests.codes.not_found:
        return "create", ""  # the namespace will be created first
    return "refused", message


def _plain(obj: Object) -> Object:
    obj = deepcopy(obj)
    for key in MADE_BY_SERVER:
        obj["metadata"].pop(key, None)
    obj.pop("status", None)
    return obj


def test_every_prediction_is_what_the_api_server_does(
    place: Deployment, api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The sandbox's own lock changes with every build of others.
    cache = tmp_path / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    lock_images(tmp_path)
    overrides = {kind.name: values(place.overrides, kind, place.namespace) for kind in KINDS}
    before = objects("sandbox", overrides["nothing"])
    for obj in before:
        assert api.apply(obj).ok, obj
        if obj["metadata"]["name"] == place.namespace:
            place.kubectl("create", "quota", "no-pods", "--hard=pods=0")
    claims = [obj for obj in before if obj["kind"] == "PersistentVolumeClaim"]
    wait_for("claims are bound", lambda: all(_bound(api.get(claim)) for claim in claims))
    live = {(obj["kind"], obj["metadata"]["name"]): api.get(obj) for obj in before}
    with ThreadPoolExecutor(max_workers=3) as pool:
        edited = {
            kind.name: pool.submit(rendered, kind, overrides[kind.name], tmp_path, cache)
            for kind in KINDS
            if kind.edits
        }
        afters = {
            kind.name: objects("sandbox", overrides[kind.name]) for kind in KINDS if not kind.edits
        } | {name: done.result() for name, done in edited.items()}
    misses, total = [], 0
    for kind in KINDS:
        changes = compare(before, afters[kind.name])
        same = kind.name == "nothing" or kind.name.endswith("in another unit")
        assert bool(changes) != same, kind.name
        lines = []
        for change in changes:
            if change.after is None:
                lines.append(f"{change.operation:8} {change.kind} {change.name}")
                continue
            total += 1
            there = (
                api.get(change.after) if _moved(change) else live.get((change.kind, change.name))
            )
            what, message = seen(api, change.after, there)
            line = (
                f"{change.operation:8} {change.kind} {change.name}: {what} "
                f"[{', '.join(map(dotted, change.refused))}] {message[:200]}"
            )
            lines.append(line)
            if what not in expected(change):
                misses.append(f"{kind.name}: predicted {expected(change)}, seen {line}")
        print(f"{kind.name}\n  " + "\n  ".join(lines))
    print(f"{len(KINDS)} kinds of change, {total} objects applied, {len(misses)} misses")
    assert not misses, "\n".join(misses)


def test_growth_is_refused_where_the_class_does_not_allow_it(place: Deployment, api: Api) -> None:
    # What no object shows, so that no prediction has it.
    more = Kind("more", "database.cluster.claim.size=6Gi")
    grow = values(place.overrides, more, place.namespace)
    (claim,) = (
        obj
        for obj in objects("sandbox", grow)
        if (obj["kind"], obj["metadata"]["name"]) == ("PersistentVolumeClaim", "airflow-mysql")
    )
    assert seen(api, claim, api.get(claim))[0] == "update"
    place.kubectl(
        "patch", "storageclass", place.namespace, "--patch", '{"allowVolumeExpansion": false}'
    )
    what, message = seen(api, claim, api.get(claim))
    assert what == "refused"
    assert "storageclass that provisions the pvc must support resize" in message


def _bound(claim: Object | None) -> bool:
    return claim is not None and claim["status"].get("phase") == "Bound"


def _moved(change: Change) -> bool:
    return any(path == ("metadata", "namespace") for path in change.replacing)
