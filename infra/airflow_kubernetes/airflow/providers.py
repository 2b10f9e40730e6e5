"""Airflow's providers: whose package a Python path or a section of airflow.cfg is.

Source: the names of the packages on PyPI (`apache-airflow-providers-…` for `airflow.providers.…`)
and the `config` of each provider's provider.yaml.
"""

import re

from ..settings.schema import Settings
from .options import packages

PREFIX = "apache-airflow-providers-"
SHARED = {"apache", "atlassian", "cncf", "common", "dbt", "microsoft"}
"""Parts of `airflow.providers` that hold several providers, each in a part of its own."""

SECTIONS = {
    "atlas": "apache-atlas",
    "aws": "amazon",
    "aws_auth_manager": "amazon",
    "aws_batch_executor": "amazon",
    "aws_ecs_executor": "amazon",
    "aws_lambda_executor": "amazon",
    "azure_remote_logging": "microsoft-azure",
    "edge": "edge3",
    "elasticsearch": "elasticsearch",
    "elasticsearch_configs": "elasticsearch",
    "hive": "apache-hive",
    "imap": "imap",
    "keycloak_auth_manager": "keycloak",
    "openlineage": "openlineage",
    "opensearch": "opensearch",
    "opensearch_configs": "opensearch",
    "snowflake": "snowflake",
    "yandex": "yandex",
}
"""Sections of providers that are not in the locks by default."""

REMOTE_LOGS = {
    "s3://": "amazon",
    "cloudwatch://": "amazon",
    "gs://": "google",
    "stackdriver://": "google",
    "wasb": "microsoft-azure",
    "oss://": "alibaba",
    "hdfs://": "apache-hdfs",
}
"""By the beginning of `logging.remote_base_log_folder`, as Airflow's airflow_local_settings.py."""

OBJECT_STORAGE = {
    "s3": "amazon",
    "s3a": "amazon",
    "s3n": "amazon",
    "gs": "google",
    "gcs": "google",
    "abfs": "microsoft-azure",
    "abfss": "microsoft-azure",
    "adl": "microsoft-azure",
}
"""By the scheme of an address: `schemes` of the filesystems that each provider has."""


def of_section(section: str) -> str | None:
    """The package whose section it is; None if no provider is known to have it."""
    provider = SECTIONS.get(section)
    return f"{PREFIX}{provider}" if provider else None


def of_remote_logs(folder: str) -> str | None:
    """The package that writes logs to a remote folder; None for an address that Airflow refuses."""
    found = (provider for start, provider in REMOTE_LOGS.items() if folder.startswith(start))
    return next((f"{PREFIX}{provider}" for provider in found), None)


def of_paths(text: str) -> set[str]:
    """The packages of all Python paths in a text."""
    found = set()
    for first, second in re.findall(r"\bairflow\.providers\.(\w+)(?:\.(\w+))?", text):
        found.add(f"{first}-{second}" if first in SHARED else first)
    return {f"{PREFIX}{name.replace('_', '-').rstrip('-')}" for name in found}


def of_storage(address: str) -> set[str]:
    """The package by which tasks reach an object storage; none for an address of other kinds."""
    provider = OBJECT_STORAGE.get(address.partition("://")[0])
    return {f"{PREFIX}{provider}"} if provider else set()


def locked(settings: Settings, package: str) -> bool:
    """Whether the image has the package; true where there is no lock, which is another problem."""
    names = packages(settings.airflow.version, settings.images.airflow.python)
    return package in names or not names


def missing(settings: Settings, package: str) -> str:
    """In words: the package, why it is missing and what adds it."""
    return (
        f"{package}, which is not in the image of Airflow {settings.airflow.version}; add it to "
        "images/airflow/requirements.in and run make lock"
    )
