"""Every setting, one file per section of values/common.yaml: its type and bounds.

A field in which environments may differ is marked so, with the reason. Only items of lists have
defaults: values/common.yaml holds every setting, so that one file shows them all. Keys are
camelCase, as in Kubernetes and the official chart.
"""

from typing import Annotated, Literal

from ..fields import Namespace, Section
from ..marks import UNIQUE_LOCATION, PerEnvironment
from .airflow import Airflow, DagRepository, GitDags, Workers
from .broker import Broker
from .budget import Budget
from .database import Database
from .images import AirflowImage, Images, TaskImage
from .kubernetes import Claim, Quantities, Resources, Toleration, Volume
from .logs import Logs
from .secrets import Secrets

__all__ = [
    "AirflowImage",
    "Budget",
    "Claim",
    "DagRepository",
    "GitDags",
    "Quantities",
    "Resources",
    "Settings",
    "TaskImage",
    "Toleration",
    "Volume",
    "Workers",
]


class Settings(Section):
    """All settings of one environment."""

    engine: Annotated[
        Literal["pulumi", "kubectl", "auto"],
        PerEnvironment("air-gapped environments cannot install the Pulumi CLI", "platform"),
    ]
    namespace: Annotated[Namespace, UNIQUE_LOCATION]
    airflow: Airflow
    database: Database
    broker: Broker
    logs: Logs
    images: Images
    secrets: Secrets
    budget: Budget
