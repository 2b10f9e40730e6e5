"""`make status`: what runs in the cluster, and where Airflow answers."""

import argparse

from ..secrets import ADMIN_SECRET
from .target import Target
from .target import add_arguments as add_arguments


def run(arguments: argparse.Namespace) -> None:
    """Print workloads, pods and claims, and how to log in."""
    target = Target.load(arguments.environment, arguments.set)
    target.kubectl.reach()
    print(target.kubectl.run("get", "deployments,statefulsets,jobs,pods,pvc"), end="")
    print_access(target)


def print_access(target: Target) -> None:
    """Print Airflow's address and user; the password stays in the cluster."""
    settings, namespace = target.settings, target.settings.namespace
    password = (
        f"kubectl --context {target.kubectl.context} -n {namespace} get secret {ADMIN_SECRET} "
        "--output go-template='{{.data.password | base64decode}}'"
    )
    stopped = ", stopped: airflow.stopped is set" if settings.airflow.stopped else ""
    print(f"\nAirflow {settings.airflow.version} ({settings.airflow.executor}){stopped}")
    print(f"  address   {settings.airflow.url}")
    print(f"  user      {settings.airflow.admin.username}")
    print(f"  password  make password ENV={target.environment}   ({password})")
