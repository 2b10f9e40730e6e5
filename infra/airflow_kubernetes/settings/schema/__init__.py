"""Every setting, one file per section of values/common.yaml: its type and bounds.

A field in which environments may differ is marked so, with the reason. values/common.yaml holds
every setting but those with a default here: items of lists, and what any pod may have (pods.py),
which would be hundreds of empty keys. docs/values.md lists both. Keys are camelCase, as in
Kubernetes and the official chart.
"""

from typing import Annotated, Literal

from pydantic import Field

from ..fields import Namespace, Section
from ..marks import UNIQUE_LOCATION, PerEnvironment
from .airflow import Airflow, DagRepository, GitDags, TaskProfile, Workers
from .broker import Broker
from .budget import Budget
from .contents import (
    EnvFrom,
    EnvSource,
    ExtraContainer,
    OptionValue,
    Projection,
    SecretKey,
    Sidecar,
    Volume,
    VolumeMount,
)
from .database import Database
from .images import AirflowImage, Images, TaskImage
from .kubernetes import Claim, Quantities, Resources
from .logs import Logs
from .placement import LabelSelector, Toleration, TopologySpreadConstraint
from .pods import AccountSettings, ContainerFields, DisruptionBudget, PodFields, PodSettings
from .secrets import Secrets

__all__ = [
    "AccountSettings",
    "AirflowImage",
    "Budget",
    "Claim",
    "ContainerFields",
    "DagRepository",
    "DisruptionBudget",
    "EnvFrom",
    "EnvSource",
    "ExtraContainer",
    "GitDags",
    "LabelSelector",
    "OptionValue",
    "PodFields",
    "PodSettings",
    "Projection",
    "Quantities",
    "Resources",
    "SecretKey",
    "Secrets",
    "Settings",
    "Sidecar",
    "TaskImage",
    "TaskProfile",
    "Toleration",
    "TopologySpreadConstraint",
    "Volume",
    "VolumeMount",
    "Workers",
]


class Settings(Section):
    """All settings of one environment."""

    engine: Annotated[
        Literal["pulumi", "kubectl", "auto"],
        PerEnvironment("air-gapped environments cannot install the Pulumi CLI", "platform"),
    ]
    namespace: Annotated[Namespace, UNIQUE_LOCATION]
    """Airflow's own; tasks launch pods in <namespace>-tasks"""
    pods: PodSettings = Field(default_factory=PodSettings)
    airflow: Airflow
    database: Database
    broker: Broker
    logs: Logs
    images: Images
    secrets: Secrets
    budget: Budget
