"""Images as Pulumi resources: a build for each platform, joined by an index."""

import os
from pathlib import Path

import pulumi
import pulumi_docker_build as docker_build

from ..paths import ROOT
from ..settings.schema import Settings
from . import build_options, references
from .specs import ON_IMAGE, ImageSpec
from .staging import STAGING, stage


def builder(settings: Settings, opts: pulumi.ResourceOptions) -> list[pulumi.Resource]:
    """The buildx builder, where `images.builder.driver` says that the environment makes it."""
    chosen = settings.images.builder
    if chosen.driver is None or not settings.images.build:
        return []
    # Imported where it is needed: it takes longer than everything else in a render.
    import pulumi_docker as docker

    return [
        docker.BuildxBuilder(
            "builder",
            name=chosen.name,
            driver=chosen.driver,
            endpoint=chosen.endpoint,
            bootstrap=True,
            opts=opts,
        )
    ]


def image(
    settings: Settings,
    spec: ImageSpec,
    *,
    rendering: bool,
    login: docker_build.RegistryArgs | None,
    on: pulumi.Input[str] | None,
    parent: pulumi.Resource,
    depends_on: list[pulumi.Resource],
) -> pulumi.Input[str]:
    """`registry/name:tag@digest` of the image, built and pushed if this environment builds.

    `on` is the reference by digest of the image on which it is a layer.
    Without a login the one in Docker's configuration is used. A preview never builds: it shows
    the tag of an image that the lock does not know. The lock is written by `make up`, from the
    stack's outputs.
    """
    locked = references.locked(settings, spec)
    if not settings.images.build:
        if locked is None:
            pulumi.log.warn(references.missing(settings, spec))
        return locked or references.by_tag(settings, spec)
    # Rendering needs no context, and works in a checkout that it may not write to.
    context = STAGING / spec.name / spec.tag if rendering else stage(spec)
    # A new tag must not delete the old manifest: pods and other environments may still run it.
    opts = pulumi.ResourceOptions(parent=parent, retain_on_delete=True, depends_on=depends_on)
    index = docker_build.Index(
        f"{spec.name}-index",
        sources=[
            _platform(settings, spec, platform, context, login, on, opts).ref
            for platform in spec.platforms
        ],
        tag=references.by_tag(settings, spec),
        push=True,
        registry=login,
        opts=opts,
    )
    # Only a preview may trust the lock: the registry may have lost what it names.
    return locked if locked and pulumi.runtime.is_dry_run() else index.ref.apply(_with_digest)


def _platform(
    settings: Settings,
    spec: ImageSpec,
    platform: str,
    context: Path,
    login: docker_build.RegistryArgs | None,
    on: pulumi.Input[str] | None,
    opts: pulumi.ResourceOptions,
) -> docker_build.Image:
    """The image for one platform. With several in one build their caches overwrite each other."""
    caches = build_options.cache(settings, spec, platform)
    return docker_build.Image(
        f"{spec.name}-{build_options.architecture(platform)}-image",
        push=False,  # `exports` pushes, with options that `push` does not have
        exports=[docker_build.ExportArgs(raw=build_options.export(settings, spec))],
        build_on_preview=False,
        builder=docker_build.BuilderConfigArgs(name=settings.images.builder.name),
        # Relative to the program: a path of one machine must not enter the state.
        context=docker_build.BuildContextArgs(location=os.path.relpath(context, ROOT / "infra")),
        build_args=dict(spec.arguments) | ({} if on is None else {ON_IMAGE: on}),
        cache_from=[docker_build.CacheFromArgs(raw=source) for source in caches[:1]],
        cache_to=[docker_build.CacheToArgs(raw=target) for target in caches[1:]],
        platforms=[docker_build.Platform(platform)],
        registries=None if login is None else [login],
        tags=[build_options.tag(settings, spec, platform)],
        # Always, even if empty: another machine's certificates are no reason to build again.
        secrets={"ca": build_options.private_authorities()},
        ignore_secrets_in_diff_calculation=["ca"],
        opts=opts,
    )


def _with_digest(reference: str) -> str:
    """The reference, which has a digest except in previews. Raises RunError."""
    if "@" in reference or pulumi.runtime.is_dry_run():
        return reference
    raise pulumi.RunError(
        f"{reference}: the registry did not return its digest to the provider. Check the login and "
        "run again with --refresh"
    )
