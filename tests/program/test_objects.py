"""What the rendered objects promise, in every environment."""

import json
import shutil
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from airflow_kubernetes.airflow.executors import EXECUTORS
from airflow_kubernetes.airflow.releases import RELEASES
from airflow_kubernetes.secrets import PLACEHOLDER

from .conftest import ROOT, render, run, workloads

Objects = list[dict[str, Any]]

BACKUP = "airflow-backup"
MINORS = ("1.33", "1.34", "1.35", "1.36")


@pytest.mark.parametrize("minor", MINORS)
def test_every_object_fits_the_strict_schema(rendered: Objects, minor: str) -> None:
    for obj in rendered:
        kubernetes_validate.validate(obj, minor, strict=True)
        if obj["metadata"]["name"] == "airflow-pod-template":
            template = yaml.safe_load(obj["data"]["pod_template.yaml"])
            kubernetes_validate.validate(template, minor, strict=True)


def test_the_schema_check_can_fail(rendered: Objects) -> None:
    broken = json.loads(json.dumps(next(obj for obj in rendered if obj["kind"] == "Deployment")))
    broken["spec"]["template"]["spec"]["containers"][0]["imagePulPolicy"] = "Always"
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, MINORS[-1], strict=True)


def test_a_token_is_wherever_something_may_be_done_with_it(rendered: Objects) -> None:
    # That it is nowhere else is a policy: no-idle-token.
    roles = {obj["metadata"]["name"] for obj in rendered if obj["kind"] == "Role"}
    for name, spec in workloads(rendered):
        if spec["serviceAccountName"] in roles:
            assert spec["automountServiceAccountToken"] is True, name


def test_without_launching_pods_tasks_get_no_token() -> None:
    objects = list(yaml.safe_load_all(render("dev", "airflow.tasks.launchPods=false")))
    with_token = [name for name, spec in workloads(objects) if spec["automountServiceAccountToken"]]
    assert with_token == ["Deployment airflow-scheduler"]


def test_data_and_secrets_are_protected(rendered: Objects) -> None:
    for obj in rendered:
        protected = obj["metadata"]["labels"].get("airflow-kubernetes/protected") == "true"
        assert protected == (obj["kind"] in ("Namespace", "PersistentVolumeClaim", "Secret"))


def test_secrets_hold_placeholders_only(rendered: Objects) -> None:
    for obj in rendered:
        if obj["kind"] == "Secret":
            plain = ("username", "database")
            values = {k: v for k, v in obj["stringData"].items() if k not in plain}
            assert set(values.values()) == {PLACEHOLDER}


def test_a_login_makes_the_secret_that_all_pods_pull_with() -> None:
    objects = list(yaml.safe_load_all(render("dev", "images.login=true")))
    (made,) = (obj for obj in objects if obj["metadata"]["name"] == "airflow-registry")
    assert '"password": "[secret]"' in made["stringData"][".dockerconfigjson"]
    for name, spec in workloads(objects):
        assert spec["imagePullSecrets"] == [{"name": "airflow-registry"}], name
    own = render("dev", "images.login=true images.pullSecret=mine")
    assert "airflow-registry" not in own


def test_a_task_image_is_named_in_one_place_which_rolls_no_pod(rendered: Objects) -> None:
    named = [obj["metadata"]["name"] for obj in rendered if "/task-pandas-1:" in json.dumps(obj)]
    assert named == ["airflow-task-images"]


def test_task_pods_get_no_database_and_no_key(rendered: Objects) -> None:
    (template,) = (spec for name, spec in workloads(rendered) if "pod-template" in name)
    assert template["containers"][0]["name"] == "base"
    assert template["containers"][0]["env"] == []
    assert "secretKeyRef" not in json.dumps(template)


def test_two_renders_are_the_same_bytes() -> None:
    assert render("dev") == render("dev")


def test_a_render_does_not_depend_on_the_folder_or_the_umask(tmp_path: Path) -> None:
    for name in ("infra", "values", "images", "dags"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Pulumi.yaml", "Pulumi.dev.yaml", "images.lock.yaml"):
        shutil.copy(ROOT / name, tmp_path / name)
    for file in (tmp_path / "dags").rglob("*.py"):
        file.chmod(0o600)
    (tmp_path / "dags" / "__pycache__").mkdir()
    (tmp_path / "dags" / "__pycache__" / "smoke.cpython-311.pyc").write_bytes(b"left behind")
    assert render("dev", root=tmp_path) == render("dev")


def test_dev_and_prod_run_the_same_things() -> None:
    dev, prod = (
        {(obj["kind"], obj["metadata"]["name"]) for obj in yaml.safe_load_all(render(environment))}
        for environment in ("dev", "prod")
    )
    assert dev == prod


def test_an_external_database_renders_no_server_and_keeps_the_claim() -> None:
    overrides = (
        "database.mode=external database.external.host=db.example.com "
        "database.external.secret=my-database"
    )
    objects = list(yaml.safe_load_all(render("dev", overrides)))
    names = {(obj["kind"], obj["metadata"]["name"]) for obj in objects}
    assert not any(kind == "StatefulSet" for kind, _ in names)
    assert ("PersistentVolumeClaim", "airflow-mysql") in names
    assert ("Secret", "airflow-mysql") in names
    (scheduler,) = (spec for name, spec in workloads(objects) if name.endswith("airflow-scheduler"))
    env = {item["name"]: item for item in scheduler["containers"][0]["env"]}
    assert env["DATABASE_PASSWORD"]["valueFrom"]["secretKeyRef"] == {
        "name": "my-database",
        "key": "password",
    }
    assert "@db.example.com:3306/airflow" in env["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]["value"]


def test_without_a_schedule_the_volume_and_the_scripts_stay() -> None:
    def backups(overrides: str) -> set[str]:
        objects = yaml.safe_load_all(render("dev", overrides))
        return {obj["kind"] for obj in objects if obj["metadata"]["name"].startswith(BACKUP)}

    everything = backups("")
    assert everything == {"ConfigMap", "CronJob", "PersistentVolumeClaim", "ServiceAccount"}
    assert backups("database.backup.schedule=null") == everything - {"CronJob"}


@pytest.mark.parametrize(
    ("overrides", "rolled"),
    [
        ("airflow.tasks.resources.limits.memory=2Gi", {"airflow-scheduler"}),
        (
            "airflow.parallelism=7",
            {
                "airflow-api-server",
                "airflow-dag-processor",
                "airflow-scheduler",
                "airflow-triggerer",
            },
        ),
        ("database.cluster.maxConnections=300", {"airflow-mysql"}),
        ("airflow.admin.email=x@example.com", set()),
        ("database.backup.keep=3", set()),
    ],
)
def test_a_change_rolls_exactly_the_pods_that_use_it(overrides: str, rolled: set[str]) -> None:
    def templates(text: str) -> dict[str, Any]:
        return {
            obj["metadata"]["name"]: obj["spec"]["template"]
            for obj in yaml.safe_load_all(text)
            if obj["kind"] in ("Deployment", "StatefulSet")
        }

    before, after = templates(render("dev")), templates(render("dev", overrides))
    assert {name for name in before if before[name] != after[name]} == rolled


def test_a_changed_job_is_a_new_object_and_an_unchanged_one_is_not() -> None:
    def jobs(text: str) -> set[str]:
        return {o["metadata"]["name"] for o in yaml.safe_load_all(text) if o["kind"] == "Job"}

    before = jobs(render("dev"))
    assert jobs(render("dev", "database.cluster.maxConnections=300")) == before
    assert not jobs(render("dev", "database.generation=2")) & before


def test_overrides_are_not_applied_to_a_real_environment() -> None:
    done = run("up", "dev", "airflow.parallelism=1")
    assert done.returncode == 1
    assert "write the values into values/dev.yaml" in done.stderr


def test_autoscaled_workers_have_bounds_and_no_number() -> None:
    values = (
        "airflow.executor=CeleryExecutor airflow.celery.workers.default.replicas=2 "
        "airflow.celery.workers.default.maxReplicas=5"
    )
    objects = {
        (o["kind"], o["metadata"]["name"]): o for o in yaml.safe_load_all(render("dev", values))
    }
    scaler = objects["HorizontalPodAutoscaler", "airflow-worker-default"]["spec"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (2, 5)
    assert scaler["scaleTargetRef"]["name"] == "airflow-worker-default"
    # What the autoscaler sets, the program must not.
    assert "replicas" not in objects["Deployment", "airflow-worker-default"]["spec"]


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("version", RELEASES)
def test_stopped_means_that_nothing_of_airflow_runs(version: str, executor: str) -> None:
    values = (
        f"airflow.stopped=true airflow.version={version} airflow.executor={executor} "
        "airflow.celery.workers.default.maxReplicas=5"
    )
    objects = list(yaml.safe_load_all(render("dev", values)))
    replicas = {o["spec"]["replicas"] for o in objects if o["kind"] == "Deployment"}
    assert replicas == {0}
    kinds = {o["kind"] for o in objects}
    assert not kinds & {"Job", "HorizontalPodAutoscaler"}
    assert "StatefulSet" in kinds  # the database goes on


@pytest.mark.parametrize("minor", MINORS)
@pytest.mark.parametrize("version", RELEASES)
def test_the_objects_of_celery_fit_the_strict_schema(version: str, minor: str) -> None:
    values = (
        f"airflow.version={version} airflow.executor=CeleryKubernetesExecutor "
        "airflow.celery.workers.default.maxReplicas=5 "
        'airflow.tasks.tolerations=[{"key":"a","operator":"Exists"}] '
        'airflow.tasks.volumes=[{"name":"more","mountPath":"/more","secret":"mine"}]'
    )
    for obj in yaml.safe_load_all(render("dev", values)):
        kubernetes_validate.validate(obj, minor, strict=True)
        if obj["metadata"]["name"] == "airflow-pod-template":
            template = yaml.safe_load(obj["data"]["pod_template.yaml"])
            kubernetes_validate.validate(template, minor, strict=True)
