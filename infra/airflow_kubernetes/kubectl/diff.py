"""What the API server would make of objects, against what is there."""

from collections.abc import Sequence

from ..kubernetes.manifest import Manifest
from .client import OWNED, Kubectl, KubectlError


def diff(kubectl: Kubectl, objects: Sequence[Manifest], program: str = "diff -ruN") -> str:
    """The differences as `program` shows two folders; empty where there are none."""
    if not objects:
        return ""
    return kubectl.run(
        "diff",
        *OWNED,
        "--filename=-",
        objects=objects,
        ok=(0, 1),
        # diff speaks the user's language otherwise.
        environment={"KUBECTL_EXTERNAL_DIFF": program, "LC_ALL": "C", "LANGUAGE": "C"},
    )


def differences(kubectl: Kubectl, objects: Sequence[Manifest]) -> list[str]:
    """Kind and name of every object that is missing or different. Raises KubectlError."""
    text = diff(kubectl, objects, program="diff -rqN")
    found = [object_of(line) for line in text.splitlines() if line.startswith("Files ")]
    if text.strip() and not found:
        raise KubectlError(f"kubectl diff said what is not understood: {text.strip()}")
    return found


def object_of(line: str) -> str:
    """`Files …/apps.v1.Deployment.ns.name and … differ` as `Deployment name`.

    The file is named by group, version, kind, namespace (empty for none) and name; only a group
    has dots of its own, and a version is v and digits.
    """
    parts = line.split()[1].rpartition("/")[2].split(".")
    version = next(i for i, part in enumerate(parts) if part[:1] == "v" and part[1:2].isdigit())
    return f"{parts[version + 1]} {'.'.join(parts[version + 3 :])}"
