"""References to images, and the errors of registries.

https://github.com/distribution/reference/blob/v0.6.0/reference.go
"""

import re
from dataclasses import dataclass

from ..errors import UserError

DOCKER_HUB = "docker.io"


class RegistryError(UserError):
    """A registry did not answer, or refused; the message says why and what to do."""


class NotFoundError(RegistryError):
    """The registry answers, and has no such manifest or repository."""


class UnsupportedError(RegistryError):
    """The registry does not offer this part of the API."""


@dataclass(frozen=True)
class Reference:
    """`host/repository[:tag][@digest]`; the host may have a port."""

    host: str
    repository: str
    tag: str | None = None
    digest: str | None = None

    @classmethod
    def parse(cls, text: str) -> "Reference":
        """Docker's rules: without a host it is Docker Hub, where `python` means `library/python`.

        Raises RegistryError.
        """
        match = re.fullmatch(
            r"(?:(?P<host>localhost|[^/@]*[.:][^/@]*)/)?(?P<repository>[^:@]+)"
            r"(?::(?P<tag>[\w.-]+))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?",
            text,
        )
        if match is None:
            raise RegistryError(f"{text!r} is not an image reference: host/name:tag@sha256:…")
        host, repository = match["host"] or DOCKER_HUB, match["repository"]
        if host in ("index.docker.io", "registry-1.docker.io"):
            host = DOCKER_HUB
        if host == DOCKER_HUB and "/" not in repository:
            repository = f"library/{repository}"
        if host == DOCKER_HUB and repository.count("/") > 1:
            raise RegistryError(
                f"{text}: Docker Hub has one level of repositories below an account. Set "
                "images.registry to docker.io/<account>"
            )
        return cls(host, repository, match["tag"], match["digest"])

    @property
    def name(self) -> str:
        """`host/repository`."""
        return f"{self.host}/{self.repository}"
