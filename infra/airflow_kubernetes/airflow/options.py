"""The options of airflow.cfg that a release has, and the Python packages of its image.

Airflow ignores an option that it does not know. `make lock` writes these files from the locked
packages (images/lock_options.py says what is in them): this program cannot import Airflow.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from ..paths import ROOT
from ..settings.problems import Problem, SettingsError

LOCKS = ROOT / "images" / "airflow" / "locks"


@dataclass(frozen=True)
class Option:
    """How Airflow reads an option.

    `type` is string, integer, float, boolean, json or import (the path of a Python object).
    `values`, if not empty, are the only ones. `default` is a number's. The value of a `sensitive`
    option may also come from a command (`<option>_cmd`) or the secrets backend
    (`<option>_secret`).
    """

    type: str
    values: tuple[str, ...] = ()
    default: float | None = None
    sensitive: bool = False


@dataclass(frozen=True)
class Options:
    """A release's options by section and name, of Airflow and of its locked providers.

    `moved` maps `section.option` of earlier releases to the one that replaces it, or to a sentence,
    which is empty where nothing replaces it.
    """

    version: str
    sections: Mapping[str, Mapping[str, Option]]
    moved: Mapping[str, str]

    def get(self, section: str, option: str) -> Option | None:
        """The option, by its exact name; None if the release does not have it."""
        return self.sections.get(section, {}).get(option)


@cache
def options(version: str) -> Options:
    """The options of a release. Raises SettingsError if their file is missing or damaged."""
    file = LOCKS / f"{version}-options.json"
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        sections = {
            section: {
                name: Option(**item | {"values": tuple(item.get("values", ()))})
                for name, item in items.items()
            }
            for section, items in data["options"].items()
        }
        return Options(version, sections, data["moved"])
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        message = "is missing or damaged: run make lock and commit the file"
        problem = Problem(f"images/airflow/locks/{file.name}", 0, "", message)
        raise SettingsError([problem]) from None


@cache
def packages(version: str, python: str) -> frozenset[str]:
    """The names of the Python packages in a release's image; empty without a usable lock."""
    file = LOCKS / f"{version}-py{python}.txt"
    text = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
    return frozenset(re.findall(r"^([a-z0-9-]+)==", text, re.MULTILINE))


def variable(section: str, option: str) -> str:
    """The variable of an option: `_env_var_name` of Airflow's configuration parser."""
    return f"AIRFLOW__{section.replace('.', '_').upper()}__{option.upper()}"
