"""Secrets of the user's own in the place of generated values, in a whole Airflow with Celery."""

import base64

import pytest

from .conftest import Deployment
from .scenarios import check_login_to_flower, on

pytestmark = [pytest.mark.cluster, pytest.mark.long]

MINE = {
    "fernetKey": base64.urlsafe_b64encode(b"of somebody".ljust(32)).decode(),
    "apiSecretKey": "a-key-for-sessions-of-at-least-64-bytes-".ljust(64, "x"),
    "jwtSecret": "a-key-for-tokens-of-at-least-64-bytes-".ljust(64, "y"),
    "adminPassword": "letmein-as-admin",
    "flowerBasicAuth": "someone:letmein-to-flower",
    "redisPassword": "letmein-to-redis",
    "mysqlPassword": "letmein-to-mysql",
    "mysqlRootPassword": "letmein-as-root",
}


def test_an_airflow_runs_with_secrets_that_others_manage(elsewhere: Deployment) -> None:
    elsewhere.kubectl("create", "namespace", elsewhere.namespace)
    values = [f"--from-literal={name}={value}" for name, value in MINE.items()]
    elsewhere.kubectl("create", "secret", "generic", "mine", *values)
    more = " ".join(f"secrets.{name}.secret=mine secrets.{name}.key={name}" for name in MINE)
    celery = on(
        Deployment(elsewhere.namespace, f"{elsewhere.overrides} {more}"), executor="CeleryExecutor"
    )
    assert ": success" in celery.make("up")
    assert celery.make("password").strip() == MINE["adminPassword"]
    check_login_to_flower(celery, *MINE["flowerBasicAuth"].split(":"))
    generated = celery.kubectl("get", "secrets", "-o", "json")
    assert "fernet-key" not in generated
    assert "root-password" not in generated
