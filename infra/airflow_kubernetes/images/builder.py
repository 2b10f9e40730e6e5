"""The buildx builder, made where `images.builder.driver` asks for it."""

import pulumi

from ..settings.schema import Settings


def resources(settings: Settings, opts: pulumi.ResourceOptions) -> list[pulumi.Resource]:
    """The builder as a resource of pulumi-docker; none where somebody else made it."""
    wanted = settings.images.builder
    if wanted.driver is None or not settings.images.build:
        return []
    # Imported where it is needed: it takes longer than everything else in a render.
    import pulumi_docker as docker

    return [
        docker.BuildxBuilder(
            "builder",
            name=wanted.name,
            driver=wanted.driver,
            endpoint=wanted.endpoint,
            bootstrap=True,
            opts=opts,
        )
    ]
