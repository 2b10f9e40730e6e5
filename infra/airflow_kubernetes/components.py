"""The five component resources of a stack, each with the objects that it consists of.

Objects are plain dicts and are registered as `KubernetesObject`, not as the typed classes of
pulumi_kubernetes: importing those takes 0.73 s instead of 0.28 s, plain data is checked against one
strict Kubernetes schema in the tests, and the kubectl engine applies the same dicts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_docker_build as docker_build

from .airflow.manifests import airflow_manifests, celery_manifests
from .airflow.migrations import MIGRATIONS
from .database.backup import backup_manifests
from .database.mysql import mysql_manifests
from .images.pull_secret import launched_pull_secret, pull_secret
from .images.references import by_tag, pinned
from .images.resources import builder, image
from .images.specs import ImageSpec
from .kubernetes.manifest import Manifest, logical_name
from .kubernetes.namespace import namespace
from .kubernetes.order import order
from .kubernetes.pull_secret import makes_pull_secret
from .kubernetes.references import references
from .kubernetes.registration import KubernetesObject
from .registry import login
from .secrets import (
    ADMIN_PASSWORD,
    ADMIN_SECRET,
    Generated,
    generated,
    place,
    resource,
    secret,
)
from .settings.schema import Settings

PACKAGE = "airflow-kubernetes:index"


class Group(pulumi.ComponentResource):
    """A component resource whose children are Kubernetes objects.

    `registered` has the objects of the stack by kind and name, those of other components too.
    """

    def __init__(
        self,
        name: str,
        registered: dict[tuple[str, str], KubernetesObject],
        opts: pulumi.ResourceOptions | None,
    ) -> None:
        super().__init__(f"{PACKAGE}:{type(self).__name__}", name, None, opts)
        self.registered = registered

    def register(
        self, obj: Manifest, opts: pulumi.ResourceOptions | None = None
    ) -> KubernetesObject:
        """Register an object as a child, created after the objects that it names.

        A claim is created after all Secrets: one without them counts as data whose passwords are
        lost (kubectl/foundation.py). What waits for a server or for the migrations is created after
        these: Pulumi works on four resources for each CPU at a time, and those that wait would keep
        what they wait for from its turn. With the namespace everything in it is gone: Pulumi
        deletes the namespace alone then, and does not wait for a claim that a pod still mounts.
        What is in a namespace that stays is deleted object by object.
        """
        kind, name = obj["kind"], obj["metadata"]["name"]
        namespace = self.registered.get(("Namespace", obj["metadata"].get("namespace", "")))
        before = references(obj)
        if kind == "PersistentVolumeClaim":
            before |= {key for key in self.registered if key[0] == "Secret"}
        if kind in ("Job", "Deployment"):
            before |= {key for key in self.registered if key[0] == "StatefulSet"}
        if kind == "Deployment":
            before |= {key for key in self.registered if _migrates(key)}
        named = [self.registered[key] for key in sorted(before & {*self.registered})]
        child = pulumi.ResourceOptions(
            parent=self,
            depends_on=[namespace, *named] if namespace else named,
            deleted_with=None if namespace and namespace.stays else namespace,
        )
        self.registered[kind, name] = KubernetesObject(
            logical_name(obj), obj, pulumi.ResourceOptions.merge(child, opts)
        )
        return self.registered[kind, name]


def _migrates(key: tuple[str, str]) -> bool:
    """Whether a kind and a name are those of the migrations' Job."""
    return key[0] == "Job" and key[1].startswith(f"airflow-{MIGRATIONS}-")


@dataclass(frozen=True)
class FoundationArgs:
    """`engine` is recorded on the namespace; `login` is the registry's, if it requires one."""

    settings: Settings
    engine: str
    login: docker_build.RegistryArgs | None


class Foundation(Group):
    """Airflow's namespace and the Secrets: what exists before anything else and outlives it.

    `password` is the first user's, as generated, or says which existing Secret has it; a new one
    that was written into the Secret since is in the cluster alone (`make password`).
    `docker_config` is what the Secret for pulling images has, if this program makes it.
    """

    password: pulumi.Output[str]
    docker_config: pulumi.Output[str] | None = None

    def __init__(
        self, name: str, args: FoundationArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, {}, opts)
        settings = args.settings
        self.register(namespace(settings.namespace, args.engine))
        secrets = {item.name: self._generated(settings, item) for item in generated(settings)}
        secret, key = place(settings, ADMIN_SECRET, ADMIN_PASSWORD)
        elsewhere = f"in the key {key} of the Secret {secret}"
        own = secrets[ADMIN_SECRET].get(ADMIN_PASSWORD)
        self.password = pulumi.Output.from_input(elsewhere) if own is None else own
        if args.login is not None and makes_pull_secret(settings):
            self._pull_secret(settings, args.login)
        self.register_outputs({"namespace": settings.namespace})

    def _generated(self, settings: Settings, item: Generated) -> dict[str, pulumi.Output[str]]:
        """Register the Secret; return its generated values by key."""
        opts = pulumi.ResourceOptions(parent=self, protect=True)
        values = {
            key: resource(f"{item.name}-{key}", kind, opts) for key, kind in item.keys.items()
        }
        obj = secret(settings, item)
        obj["stringData"] |= values
        # Written once: a value that was changed since (a rotated password) is not overwritten.
        self.register(obj, pulumi.ResourceOptions(ignore_changes=["stringData", "data"]))
        return values

    def _pull_secret(self, settings: Settings, credentials: docker_build.RegistryArgs) -> None:
        parts = (settings.images.registry, credentials.username, credentials.password)
        self.docker_config = pulumi.Output.all(*parts).apply(
            lambda known: login.docker_config(*known)
        )
        # Kept by `make down`, but deleted when the values no longer require it: not protected.
        obj = pull_secret(settings, self.docker_config)
        self.register(obj, pulumi.ResourceOptions(protect=False))


@dataclass(frozen=True)
class ImagesArgs:
    """`specs` are the images to build, or to find in the lock; see `Environment.rendering`."""

    settings: Settings
    specs: Sequence[ImageSpec]
    login: docker_build.RegistryArgs | None
    rendering: bool


class Images(pulumi.ComponentResource):
    """The images of Airflow and of the tasks: built and pushed, or taken from the lock.

    `tags` maps an image's name to `registry/name:tag`; `digests` maps that to `…@sha256:…`, which
    a preview may not know yet.
    """

    tags: Mapping[str, str]
    digests: Mapping[str, pulumi.Input[str]]

    def __init__(
        self, name: str, args: ImagesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(f"{PACKAGE}:Images", name, None, opts)
        settings = args.settings
        child = pulumi.ResourceOptions(parent=self)
        builders = builder(settings, child)
        self.tags = {spec.name: by_tag(settings, spec) for spec in args.specs}
        digests: dict[str, pulumi.Input[str]] = {}
        for spec in args.specs:  # each after the one that it is a layer on
            digests[self.tags[spec.name]] = image(
                settings,
                spec,
                rendering=args.rendering,
                login=args.login,
                on=digests[self.tags[spec.on.name]] if spec.on else None,
                parent=self,
                depends_on=builders,
            )
        self.digests = digests
        self.register_outputs({"references": self.references})

    @property
    def references(self) -> dict[str, pulumi.Input[str]]:
        """`registry/name:tag@digest` by the image's name."""
        return {name: self.digests[tag] for name, tag in self.tags.items()}


@dataclass(frozen=True)
class DatabaseArgs:
    """The settings decide between MySQL in the cluster and an external server."""

    settings: Settings
    foundation: Foundation


class Database(Group):
    """MySQL in the cluster and its backups; for an external server, the backups alone."""

    def __init__(
        self, name: str, args: DatabaseArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, args.foundation.registered, opts)
        objects = (*mysql_manifests(args.settings), *backup_manifests(args.settings))
        for obj in sorted(objects, key=order):
            self.register(obj)
        self.register_outputs({"mode": args.settings.database.mode})


@dataclass(frozen=True)
class AirflowArgs:
    """Objects are built with tags and registered with the digests of `images`."""

    settings: Settings
    foundation: Foundation
    images: Images


class Airflow(Group):
    """Airflow's components, Jobs, configuration and logs, and the namespace of the pods that its
    tasks launch.
    """

    def __init__(
        self, name: str, args: AirflowArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, args.foundation.registered, opts)
        settings, images = args.settings, args.images
        objects = [*airflow_manifests(settings, images.tags)]
        if settings.airflow.tasks.launch_pods and args.foundation.docker_config is not None:
            objects.append(launched_pull_secret(settings, args.foundation.docker_config))
        for obj in sorted(objects, key=order):
            self.register(pinned(obj, images.digests))
        self.register_outputs({"url": settings.airflow.url})


class Celery(Group):
    """What Celery executors need as well: Redis, workers, autoscalers, Flower."""

    def __init__(
        self, name: str, args: AirflowArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, args.foundation.registered, opts)
        for obj in sorted(celery_manifests(args.settings, args.images.tags), key=order):
            self.register(pinned(obj, args.images.digests))
        self.register_outputs({"broker": args.settings.broker.mode})
