"""The five component resources of a stack, each with the objects that it consists of.

Objects are plain dicts and are registered as `KubernetesObject`, not as the typed classes of
pulumi_kubernetes: importing those takes 0.73 s instead of 0.28 s, plain data is checked against one
strict Kubernetes schema in the tests, and the kubectl engine applies the same dicts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_docker_build as docker_build

from .airflow import image_catalog
from .airflow.manifests import airflow_manifests, celery_manifests
from .database.backup import backup_manifests
from .database.mysql import mysql_manifests
from .images import references, tasks
from .images.pull_secret import pull_secret
from .images.resources import builder, image
from .images.specs import ImageSpec
from .kubernetes.manifest import Manifest, logical_name
from .kubernetes.namespace import namespace
from .kubernetes.pull_secret import makes_pull_secret
from .kubernetes.registration import KubernetesObject
from .registry import login
from .secrets import Generated, generated, resource, secret
from .settings.schema import Settings

PACKAGE = "airflow-kubernetes:index"


class Group(pulumi.ComponentResource):
    """A component resource whose children are Kubernetes objects."""

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None) -> None:
        super().__init__(f"{PACKAGE}:{type(self).__name__}", name, None, opts)

    def register(
        self,
        obj: Manifest,
        *,
        after: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> KubernetesObject:
        """Register an object as a child, created after the resources in `after`."""
        child = pulumi.ResourceOptions(parent=self, depends_on=list(after))
        return KubernetesObject(logical_name(obj), obj, pulumi.ResourceOptions.merge(child, opts))


@dataclass(frozen=True)
class FoundationArgs:
    """`engine` is recorded on the namespace; `login` is the registry's, if it requires one."""

    settings: Settings
    engine: str
    login: docker_build.RegistryArgs | None


class Foundation(Group):
    """The namespace and the Secrets: what exists before anything else and outlives it."""

    namespace: KubernetesObject
    secrets: Sequence[pulumi.Resource]

    def __init__(
        self, name: str, args: FoundationArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, opts)
        settings = args.settings
        self.namespace = self.register(namespace(settings.namespace, args.engine))
        self.secrets = [self._generated(settings, item) for item in generated(settings)]
        if args.login is not None and makes_pull_secret(settings):
            self._pull_secret(settings, args.login)
        self.register_outputs({"namespace": settings.namespace})

    @property
    def ready(self) -> Sequence[pulumi.Resource]:
        """What every other object is created after.

        Pulumi creates so many resources at a time (4 a core): workloads that wait for their pods
        could take all the places, and their pods wait for Secrets that would never get one.
        """
        return [self.namespace, *self.secrets]

    def _generated(self, settings: Settings, item: Generated) -> KubernetesObject:
        obj = secret(settings, item)
        for key, kind in item.keys.items():
            opts = pulumi.ResourceOptions(parent=self, protect=True)
            obj["stringData"][key] = resource(f"{item.name}-{key}", kind, opts)
        # Written once: a value that was changed since (a rotated password) is not overwritten.
        written_once = pulumi.ResourceOptions(ignore_changes=["stringData", "data"])
        return self.register(obj, after=[self.namespace], opts=written_once)

    def _pull_secret(self, settings: Settings, credentials: docker_build.RegistryArgs) -> None:
        parts = (settings.images.registry, credentials.username, credentials.password)
        config = pulumi.Output.all(*parts).apply(lambda known: login.docker_config(*known))
        # Kept by `make down`, but deleted when the values no longer require it: not protected.
        obj = pull_secret(settings, config)
        self.register(obj, after=[self.namespace], opts=pulumi.ResourceOptions(protect=False))


@dataclass(frozen=True)
class ImagesArgs:
    """`specs` are the images to build, or to find in the lock; see `Environment.rendering`."""

    settings: Settings
    specs: Sequence[ImageSpec]
    login: docker_build.RegistryArgs | None
    rendering: bool


class Images(Group):
    """The images of Airflow and of the tasks: built and pushed, or taken from the lock.

    `tags` maps an image's name to `registry/name:tag`; `digests` maps that to `…@sha256:…`, which
    a preview may not know yet. `for_tasks` is the image of KubernetesExecutor's pods.
    """

    tags: Mapping[str, str]
    digests: Mapping[str, pulumi.Input[str]]
    airflow: str
    for_tasks: str

    def __init__(
        self, name: str, args: ImagesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, opts)
        settings = args.settings
        child = pulumi.ResourceOptions(parent=self)
        builders = builder(settings, child)
        self.tags = {spec.name: references.by_tag(settings, spec) for spec in args.specs}
        self.digests = {
            self.tags[spec.name]: image(
                settings,
                spec,
                rendering=args.rendering,
                login=args.login,
                parent=self,
                depends_on=builders,
            )
            for spec in args.specs
        }
        self.airflow = self.tags[image_catalog.AIRFLOW]
        self.for_tasks = self.tags[image_catalog.of_task_pods(settings)]
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
        super().__init__(name, opts)
        for obj in (*mysql_manifests(args.settings), *backup_manifests(args.settings)):
            self.register(obj, after=args.foundation.ready)
        self.register_outputs({"mode": args.settings.database.mode})


@dataclass(frozen=True)
class AirflowArgs:
    """Objects are built with tags and registered with the digests of `images`."""

    settings: Settings
    foundation: Foundation
    images: Images


class Airflow(Group):
    """Airflow's components, Jobs, configuration and logs."""

    def __init__(
        self, name: str, args: AirflowArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, opts)
        settings, images = args.settings, args.images
        by_short_name = {tasks.short(name): tag for name, tag in images.tags.items()}
        for obj in airflow_manifests(settings, images.airflow, images.for_tasks, by_short_name):
            self.register(references.pinned(obj, images.digests), after=args.foundation.ready)
        self.register_outputs({"url": settings.airflow.url})


class Celery(Group):
    """What Celery executors need as well: Redis, workers, autoscalers, Flower."""

    def __init__(
        self, name: str, args: AirflowArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, opts)
        for obj in celery_manifests(args.settings, args.images.airflow):
            pinned = references.pinned(obj, args.images.digests)
            self.register(pinned, after=args.foundation.ready)
        self.register_outputs({"broker": args.settings.broker.mode})
