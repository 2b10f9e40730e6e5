"""Images as resources of Pulumi's docker-build provider: one a platform, joined by an index."""

import os
from pathlib import Path

import pulumi
import pulumi_docker_build as docker_build

from ..registry.login import Login
from ..settings.schema import Settings
from . import outputs, references
from .buildx import certificates
from .record import record
from .specs import ROOT, ImageSpec
from .staging import STAGING, stage


def image(
    settings: Settings,
    spec: ImageSpec,
    *,
    rendering: bool,
    login: docker_build.RegistryArgs | None,
    parent: pulumi.Resource,
    depends_on: list[pulumi.Resource],
) -> pulumi.Input[str]:
    """`registry/name:tag@digest` of the image, built and pushed by this environment if it may.

    Without a login the one in Docker's configuration is used. A preview never builds: it shows
    the tag of an image that the lock does not know.
    Raises RunError for one where this environment builds nothing and would have to run it.
    """
    known = references.locked(settings, spec)
    if not (rendering or pulumi.runtime.is_dry_run() or "@" in spec.base):
        raise pulumi.RunError(f"the lock has no digest of {spec.base}: run make images, or make up")
    if not settings.images.build:
        if known is None:
            if not pulumi.runtime.is_dry_run():
                raise pulumi.RunError(references.missing(settings, spec))
            pulumi.log.warn(references.missing(settings, spec))
        return known or references.by_tag(settings, spec)
    # Rendering needs no context, and a checkout that it may not write to is enough for it.
    context = STAGING / spec.name / spec.tag if rendering else stage(spec)
    # A new tag must not delete the old manifest: pods and other environments may still run it.
    opts = pulumi.ResourceOptions(parent=parent, retain_on_delete=True, depends_on=depends_on)
    index = docker_build.Index(
        f"{spec.name}-index",
        sources=[
            _one(settings, spec, platform, context, login, opts) for platform in spec.platforms
        ],
        tag=references.by_tag(settings, spec),
        push=True,
        registry=login,
        opts=opts,
    )
    made = pulumi.Output.all(index.ref, login and login.username, login and login.password).apply(
        lambda parts: _made(settings, spec, *parts)
    )
    # Only a preview may trust the lock: the registry may have lost what it names.
    return known if known and pulumi.runtime.is_dry_run() else made


def _one(
    settings: Settings,
    spec: ImageSpec,
    platform: str,
    context: Path,
    login: docker_build.RegistryArgs | None,
    opts: pulumi.ResourceOptions,
) -> pulumi.Output[str]:
    """The image for one platform. With several in one build their caches overwrite each other."""
    caches = outputs.cache(settings, spec, platform)
    return docker_build.Image(
        f"{spec.name}-{outputs.architecture(platform)}-image",
        push=False,  # the export below does, which can say more
        exports=[docker_build.ExportArgs(raw=outputs.export(settings, spec))],
        build_on_preview=False,
        builder=docker_build.BuilderConfigArgs(name=settings.images.builder.name),
        # Relative to the program: a path of one machine must not enter the state.
        context=docker_build.BuildContextArgs(location=os.path.relpath(context, ROOT / "infra")),
        build_args=dict(spec.arguments),
        cache_from=[docker_build.CacheFromArgs(raw=one) for one in caches[:1]],
        cache_to=[docker_build.CacheToArgs(raw=one) for one in caches[1:]],
        platforms=[docker_build.Platform(platform)],
        registries=None if login is None else [login],
        tags=[outputs.tag(settings, spec, platform)],
        secrets=certificates(),
        # Another machine's certificates are no reason to build again.
        ignore_secrets_in_diff_calculation=list(certificates()),
        opts=opts,
    ).ref


def _made(
    settings: Settings, spec: ImageSpec, reference: str, user: str | None, password: str | None
) -> str:
    """The reference that the provider gives, once it is whole and in the lock. Raises RunError."""
    if pulumi.runtime.is_dry_run():
        return reference
    digest = reference.partition("@")[2]
    if not digest:
        raise pulumi.RunError(
            f"{reference}: the provider does not know its digest, so the registry did not tell it. "
            "Check the login and run again with --refresh"
        )
    login = Login(user, password) if user and password else None
    record(settings, spec, digest, pulumi.log.info, login)
    return reference
