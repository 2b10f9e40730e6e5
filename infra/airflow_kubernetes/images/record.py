"""What follows a push, the same for both engines: SBOM and provenance, then the lock."""

from collections.abc import Callable

from ..registry import attachments
from ..registry.login import Login
from ..settings.schema import Settings
from . import lock, references
from .specs import ROOT, ImageSpec


def record(
    settings: Settings,
    spec: ImageSpec,
    digest: str,
    say: Callable[[str], None],
    login: Login | None,
) -> None:
    """Attach SBOM and provenance to a pushed image, then write its line of the lock.

    The lock comes last: what it names is whole. Raises RegistryError.
    """
    file, entry = lock.path(settings), lock.Entry(spec.tag, digest)
    if lock.read(file).images.get(spec.name) == entry:
        return
    base, _, of_base = spec.base.partition("@")
    build = attachments.Build(
        tag=spec.tag,
        arguments=spec.arguments,
        bases=((base, of_base),) if of_base else (),
        builder=settings.images.builder.name,
        commit=attachments.commit(ROOT),
    )
    attachments.attach(f"{references.by_tag(settings, spec)}@{digest}", build, say, login)
    lock.record(file, spec.name, entry)
