"""The stack of one environment: five component resources on one cluster."""

import pulumi
import pulumi_kubernetes

from .airflow.releases import RELEASES
from .components import (
    Airflow,
    AirflowArgs,
    Celery,
    Database,
    DatabaseArgs,
    Foundation,
    FoundationArgs,
    Images,
    ImagesArgs,
)
from .environment import Environment


def build(environment: Environment) -> None:
    """Register every resource of the environment and export the stack's outputs.

    The renderer calls it too (render.py), with a monitor that records instead of an engine.
    """
    settings = environment.settings
    # An explicit context, and no kubeconfig: a path of one machine must not enter the state.
    cluster = pulumi_kubernetes.Provider(
        "cluster",
        context=environment.context,
        kubeconfig="",
        enable_config_map_mutable=True,
        enable_secret_mutable=True,
    )
    opts = pulumi.ResourceOptions(providers=[cluster])
    foundation = Foundation(
        "foundation", FoundationArgs(settings, environment.engine, environment.login), opts
    )
    images = Images(
        "images",
        ImagesArgs(settings, environment.images, environment.login, environment.rendering),
    )
    Database("database", DatabaseArgs(settings, foundation), opts)
    airflow = AirflowArgs(settings, foundation, images)
    Airflow("airflow", airflow, opts)
    if RELEASES[settings.airflow.version].executor(settings.airflow.executor).celery:
        Celery("celery", airflow, opts)

    pulumi.export("url", settings.airflow.url)
    pulumi.export("user", settings.airflow.admin.username)
    pulumi.export("namespace", settings.namespace)
    pulumi.export("images", images.references)
