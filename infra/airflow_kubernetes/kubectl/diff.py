"""The differences between objects and the cluster, by the API server's own dry run."""

from collections.abc import Sequence

from ..kubernetes.manifest import Manifest
from .client import OWNED, Kubectl, KubectlError


def diff(kubectl: Kubectl, objects: Sequence[Manifest], program: str = "diff -ruN") -> str:
    """The differences as `program` shows those of two folders; empty if there are none."""
    if not objects:
        return ""
    return kubectl.run(
        "diff",
        *OWNED,
        "--filename=-",
        objects=objects,
        ok=(0, 1),
        # Otherwise diff prints the user's language.
        environment={"KUBECTL_EXTERNAL_DIFF": program, "LC_ALL": "C", "LANGUAGE": "C"},
    )


def differences(kubectl: Kubectl, objects: Sequence[Manifest]) -> list[str]:
    """Kind and name of every object that is missing or different. Raises KubectlError."""
    text = diff(kubectl, objects, program="diff -rqN")
    names = [object_of(line) for line in text.splitlines() if line.startswith("Files ")]
    if text.strip() and not names:
        raise KubectlError(f"unknown output of kubectl diff: {text.strip()}")
    return names


def object_of(line: str) -> str:
    """`Files …/apps.v1.Deployment.ns.name and … differ` as `Deployment name`.

    The parts of the file's name are group, version, kind, namespace (empty for none) and name. Only
    groups and names may have dots, and a version is v and digits.
    """
    parts = line.split()[1].rpartition("/")[2].split(".")
    version = next(i for i, part in enumerate(parts) if part[:1] == "v" and part[1:2].isdigit())
    return f"{parts[version + 1]} {'.'.join(parts[version + 3 :])}"
