"""Times in MySQL are read and written in UTC, whatever the server's time zone is."""

import sys
from pathlib import Path
from types import ModuleType
from urllib.parse import parse_qs, urlsplit

import pytest
from airflow_kubernetes.database.connection import url_env
from airflow_kubernetes.environment import load

from .test_executors import IMAGE, program

EXTERNAL = (
    "database.mode=external database.external.host=db.example.com "
    "database.external.secret=my-database"
)


def test_the_images_scripts_set_the_sessions_time_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    """One function connects for all of them."""
    monkeypatch.setitem(sys.modules, "MySQLdb", ModuleType("MySQLdb"))
    script = program("wait_for_migrations")
    arguments = script.connect_arguments("mysql+mysqldb://a:b@c:3306/d?charset=utf8mb4")
    assert "time_zone = '+00:00'" in arguments["init_command"]
    for file in Path(IMAGE).glob("*.py"):
        for line in file.read_text().splitlines():
            if "MySQLdb.connect(" in line:
                assert "connect_arguments(" in line or "**arguments" in line, file


@pytest.mark.parametrize("scheme", ["mysql+mysqldb", "mysql+aiomysql", "db+mysql+mysqldb"])
def test_airflow_and_celery_get_it_by_their_urls(scheme: str) -> None:
    """Airflow itself sets that of its synchronous engine alone."""
    for overrides in ("", EXTERNAL):
        variable = url_env(load("dev", overrides), "URL", scheme)[-1]
        query = parse_qs(urlsplit(str(variable["value"])).query)
        assert query["init_command"] == ["SET time_zone = '+00:00', wait_timeout = 28800"]
