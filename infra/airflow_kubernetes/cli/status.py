"""`make status` and `make password`: what runs in the cluster, and how to log in."""

import base64

from ..console import make_variables
from ..errors import CommandError
from ..secrets import ADMIN_PASSWORD, ADMIN_SECRET, place
from .backup import last_scheduled
from .target import Target, kubectl_of


def status(target: Target) -> None:
    """Print workloads, pods and claims, the pods that tasks launch, how to log in, and the last
    scheduled backup.
    """
    print(target.kubectl.run("get", "deployments,statefulsets,jobs,pods,pvc"), end="")
    for launched in target.kubectl.namespaces[1:]:
        print(f"\nnamespace {launched.namespace}, of the pods that tasks launch:")
        print(launched.run("get", "pods,pvc,resourcequotas"), end="")
    print_access(target)
    print(f"  backup    {last_scheduled(target)}")


def print_access(target: Target) -> None:
    """Print Airflow's address and user; the password stays in the cluster."""
    settings = target.settings
    name, key = place(settings, ADMIN_SECRET, ADMIN_PASSWORD)
    value = "{{" + f'index .data "{key}" | base64decode' + "}}"
    password = f"{kubectl_of(target)} get secret {name} --output go-template='{value}'"
    stopped = ", stopped: airflow.stopped is set" if settings.airflow.stopped else ""
    print(f"\nAirflow {settings.airflow.version} ({settings.airflow.executor}){stopped}")
    print(f"  address   {settings.airflow.url}")
    print(f"  user      {settings.airflow.admin.username}")
    print(f"  password  make password {make_variables(target.environment)}   ({password})")


def print_password(target: Target) -> None:
    """Print the first user's password."""
    print(password(target))


def password(target: Target) -> str:
    """The first user's password. Raises CommandError before the first `up`."""
    name, key = place(target.settings, ADMIN_SECRET, ADMIN_PASSWORD)
    for obj in target.kubectl.get("secret", name):
        if key in obj.get("data", {}):
            return base64.b64decode(obj["data"][key]).decode()
        raise CommandError(f"the Secret {name} has no key {key}")
    raise CommandError(f"no Secret {name}: run make up ENV={target.environment} first")
