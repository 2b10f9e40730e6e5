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
    foundation = Foundation(
        "foundation",
        FoundationArgs(settings, environment.engine, environment.login),
        # An existing object is an error: a stack whose state was lost must not replace the
        # passwords of existing data.
        _cluster("cluster", environment.context, force=False),
    )
    # Everything else exists already where an earlier deployment was killed, and is taken over; and
    # fields that somebody has changed since are set again, as kubectl does with --force-conflicts.
    opts = _cluster("workloads", environment.context, force=True)
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
    pulumi.export("password", foundation.password)
    pulumi.export("namespace", settings.namespace)
    pulumi.export("images", images.references)


def _cluster(name: str, context: str, *, force: bool) -> pulumi.ResourceOptions:
    """The option by which a component's children use a Kubernetes provider called `name`."""
    # An explicit context, and no kubeconfig: a path of one machine must not enter the state.
    provider = pulumi_kubernetes.Provider(
        name,
        context=context,
        kubeconfig="",
        enable_config_map_mutable=True,
        enable_secret_mutable=True,
        enable_patch_force=force,
        upsert_existing_objects=force,
    )
    return pulumi.ResourceOptions(providers=[provider])
