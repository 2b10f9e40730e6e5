"""Write the newest migration of every version table that the installed Airflow uses, as JSON.

Runs once, when the image is built: ``python migration_heads.py heads.json``. The table's name maps
to its sorted list of alembic heads, for example
``{"alembic_version": ["a1b2…"], "alembic_version_fab": ["c3d4…"]}``. wait_for_migrations.py
compares the database with it, without importing Airflow.
"""

import json
import sys
from pathlib import Path
from pkgutil import resolve_name

import airflow
from airflow.providers_manager import ProvidersManager
from alembic.config import Config
from alembic.script import ScriptDirectory


def script_heads(folder: Path) -> list[str]:
    """Return the heads of an alembic migrations folder, sorted."""
    config = Config()
    config.set_main_option("script_location", str(folder))
    return sorted(ScriptDirectory.from_config(config).get_heads())


def migration_heads() -> dict[str, list[str]]:
    """Return the heads by version table: Airflow's own, and those of its providers' DB managers."""
    heads = {"alembic_version": script_heads(Path(airflow.__file__).parent / "migrations")}
    # Airflow 2 has no DB managers: its FAB tables belong to its own migrations.
    for name in getattr(ProvidersManager(), "db_managers", ()):
        manager = resolve_name(name)
        heads[manager.version_table_name] = script_heads(Path(manager.migration_dir))
    return heads


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(migration_heads(), indent=2, sort_keys=True) + "\n")
