"""The metadata database: in the cluster or external, and its backups."""

from .objects import env, objects, of_kind, pods

EXTERNAL = (
    "database.mode=external database.external.host=db.example.com "
    "database.external.secret=my-database"
)


def test_an_external_database_renders_no_server_and_keeps_the_claim() -> None:
    rendered = objects(EXTERNAL)
    assert not of_kind(rendered, "StatefulSet")
    assert "PersistentVolumeClaim/airflow-mysql" in rendered
    assert "Secret/airflow-mysql" in rendered
    variables = env(pods(rendered)["scheduler"]["containers"][0])
    source = {"name": "my-database", "key": "password"}
    assert variables["DATABASE_PASSWORD"] == {"secretKeyRef": source}
    assert "@db.example.com:3306/airflow" in variables["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]


def test_a_claim_that_holds_nothing_can_be_left_out() -> None:
    rendered = objects(f"{EXTERNAL} database.cluster.keepClaim=false")
    assert "PersistentVolumeClaim/airflow-mysql" not in rendered
    assert "Secret/airflow-mysql" not in rendered


def test_the_servers_data_is_on_its_claim() -> None:
    pod = pods(objects())["mysql"]
    (data,) = (mount for mount in pod["containers"][0]["volumeMounts"] if mount["name"] == "data")
    # lost+found of the volume's root would be a database to mysqld.
    assert (data["mountPath"], data["subPath"]) == ("/var/lib/mysql", "mysql")
    claim = {"name": "data", "persistentVolumeClaim": {"claimName": "airflow-mysql"}}
    assert claim in pod["volumes"]


def test_without_a_schedule_the_volume_and_the_scripts_stay() -> None:
    def backups(overrides: str) -> set[str]:
        return {
            obj["kind"]
            for obj in objects(overrides).values()
            if obj["metadata"]["name"].startswith("airflow-backup")
        }

    everything = backups("")
    assert everything == {"ConfigMap", "CronJob", "PersistentVolumeClaim", "ServiceAccount"}
    assert backups("database.backup.schedule=null") == everything - {"CronJob"}


def test_a_server_that_never_became_ready_is_replaced_by_a_corrected_one() -> None:
    sets = of_kind(objects("airflow.executor=CeleryExecutor"), "StatefulSet")
    policies = {one["metadata"]["name"]: one["spec"]["podManagementPolicy"] for one in sets}
    assert policies == {"airflow-mysql": "Parallel", "airflow-redis": "Parallel"}
