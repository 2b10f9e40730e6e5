"""Airflow on Kubernetes: the stack of one environment, named like its values file."""

import os

import pulumi
import pulumi_docker_build as docker_build
import pulumi_kubernetes
from airflow_kubernetes.airflow.manifests import airflow_manifests, celery_manifests
from airflow_kubernetes.database.manifests import database_manifests
from airflow_kubernetes.images import builder, catalog, references, tasks
from airflow_kubernetes.images.lock import LockError
from airflow_kubernetes.images.resources import image
from airflow_kubernetes.kubernetes.manifest import logical_name
from airflow_kubernetes.kubernetes.namespace import namespace
from airflow_kubernetes.kubernetes.pull_secret import makes_pull_secret
from airflow_kubernetes.kubernetes.registration import KubernetesObject
from airflow_kubernetes.registry import login
from airflow_kubernetes.secrets import generated, resource, secret
from airflow_kubernetes.settings.checks import warnings
from airflow_kubernetes.settings.load import STOPPED, load
from airflow_kubernetes.settings.marks import SANDBOX
from airflow_kubernetes.settings.problems import SettingsError

environment, overrides = pulumi.get_stack(), os.environ.get("SET", "")
runner = pulumi.Config().get("engine") or "pulumi"
try:
    settings = load(environment, overrides)
    specs = catalog.every(settings)
except (SettingsError, LockError) as error:
    raise pulumi.RunError(str(error)) from None  # its message is all that a user needs
applied = not pulumi.runtime.is_dry_run()
if applied and environment != SANDBOX and overrides not in ("", STOPPED):
    raise pulumi.RunError(
        "SET is for previews; outside the sandbox write values down to apply them"
    )
engine = runner if settings.engine == "auto" else settings.engine
if engine != runner and runner == "pulumi":
    raise pulumi.RunError(f"values/{environment}.yaml names the engine {engine}: use make up")

if runner == "pulumi":
    for warning in warnings(settings):
        pulumi.log.warn(warning)

# An explicit context, and no kubeconfig of one machine in the state.
cluster = pulumi_kubernetes.Provider(
    "cluster",
    context=pulumi.Config("kubernetes").require("context"),
    kubeconfig="",
    enable_config_map_mutable=True,
    enable_secret_mutable=True,
)
room = namespace(settings.namespace, engine)
place = KubernetesObject(logical_name(room), room, pulumi.ResourceOptions(provider=cluster))
inside = pulumi.ResourceOptions(provider=cluster, depends_on=[place])

secrets = []
for wanted in generated(settings):
    obj = secret(settings, wanted)
    for key, kind in wanted.keys.items():
        opts = pulumi.ResourceOptions(protect=True)
        obj["stringData"][key] = resource(f"{wanted.name}-{key}", kind, opts)
    # Written once: what was changed by hand since (a rotated password) is not written over.
    kept = pulumi.ResourceOptions(ignore_changes=["stringData", "data"])
    opts = pulumi.ResourceOptions.merge(inside, kept)
    secrets.append(KubernetesObject(logical_name(obj), obj, opts))
# Pulumi makes so many resources at a time (4 a core): workloads that wait for their pods could
# take all the places, and their pods wait for Secrets that would never get one.
after_secrets = pulumi.ResourceOptions.merge(inside, pulumi.ResourceOptions(depends_on=secrets))

registry = None
if settings.images.login:
    registry = docker_build.RegistryArgs(
        address=login.server(settings.images.registry),
        username=pulumi.Config().require_secret("registryUsername"),
        password=pulumi.Config().require_secret("registryPassword"),
    )
if registry is not None and makes_pull_secret(settings):
    config = pulumi.Output.all(settings.images.registry, registry.username, registry.password)
    obj = login.pull_secret(settings, config.apply(lambda parts: login.docker_config(*parts)))
    # Kept by make down, but gone when the values no longer ask for it.
    unprotected = pulumi.ResourceOptions(protect=False)
    KubernetesObject(logical_name(obj), obj, pulumi.ResourceOptions.merge(inside, unprotected))

making = builder.resources(settings)
tags = {spec.name: references.by_tag(settings, spec) for spec in specs}
digests = {
    tags[spec.name]: image(
        settings, spec, rendering=runner != "pulumi", login=registry, depends_on=making
    )
    for spec in specs
}
airflow, of_tasks = tags[catalog.AIRFLOW], tags[catalog.of_task_pods(settings)]
task_images = {tasks.short(name): tag for name, tag in tags.items()}
for obj in (
    *database_manifests(settings),
    *airflow_manifests(settings, airflow, of_tasks, task_images),
    *celery_manifests(settings, airflow),
):
    KubernetesObject(logical_name(obj), references.pinned(obj, digests), after_secrets)

pulumi.export("url", settings.airflow.url)
pulumi.export("user", settings.airflow.admin.username)
pulumi.export("namespace", settings.namespace)
pulumi.export("images", {name: digests[tag] for name, tag in tags.items()})
