"""KEDA and metrics-server in the embedded cluster, for the tests that need them.

They are compiled from their Go modules when a test first needs them, like the sandbox's own tools
(sandbox/toolchain), and deployed with the manifests in those modules.
"""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from sandbox import components, paths, toolchain
from sandbox.progress import Progress

MODULES = {
    "keda": ("github.com/kedacore/keda/v2", "config/default"),
    "metrics-server": ("sigs.k8s.io/metrics-server", "manifests/base"),
}
"""The module of each family of tools, and the folder of its manifests."""

IMAGES = (
    "ghcr.io/kedacore/keda",
    "ghcr.io/kedacore/keda-admission-webhooks",
    "ghcr.io/kedacore/keda-metrics-apiserver",
    "gcr.io/k8s-staging-metrics-server/metrics-server",
)
"""What the manifests name; here it is one image with all programs."""

DOCKERFILE = """\
FROM scratch
COPY . /
USER 65532:65532
ENTRYPOINT ["/metrics-server"]
"""
CERTIFICATE = "--kubelet-insecure-tls"
"""An argument of metrics-server, whose pod does not have the sandbox's authority."""

SERVED = ("v1beta1.metrics.k8s.io", "v1beta1.external.metrics.k8s.io")


@contextmanager
def deployed() -> Iterator[None]:
    """Both, until they are removed again. Objects of KEDA's kinds must be gone before."""
    toolchain.ensure(MODULES, Progress())
    manifests = _manifests(_image())
    _kubectl("apply", "--server-side", "--force-conflicts", "--filename=-", text=manifests)
    try:
        # KEDA makes its certificates first, and its other parts wait for them.
        for place, name in (
            ("keda", "keda-operator"),
            ("keda", "keda-admission"),
            ("keda", "keda-metrics-apiserver"),
            ("kube-system", "metrics-server"),
        ):
            _kubectl("rollout", "status", f"--namespace={place}", f"deployment/{name}", *WAIT)
        for api in SERVED:
            _kubectl("wait", "--for=condition=Available", f"apiservice/{api}", *WAIT)
        yield
    finally:
        _kubectl("delete", "--ignore-not-found", "--filename=-", text=manifests)


WAIT = ("--timeout=300s",)


def _image() -> str:
    """An image of all programs in the sandbox's registry, by the pins that they were built from."""
    binaries = [file for family in MODULES for file in toolchain.bin_directory(family).iterdir()]
    key = "-".join(toolchain.bin_directory(family).parent.name[-12:] for family in MODULES)
    image = f"{paths.REGISTRY_HOST}/autoscalers:{key}"
    crane = [toolchain.program("crane", "crane"), "digest", image]
    environment = components.environment()
    if subprocess.run(crane, env=environment, capture_output=True, check=False).returncode == 0:
        return image
    with tempfile.TemporaryDirectory(dir=paths.CACHE) as folder:
        for file in binaries:
            os.link(file, Path(folder, file.name))
        buildx = [toolchain.program("buildx", "buildx"), "build", "--push", "--tag", image]
        subprocess.run(
            [*buildx, "--provenance=false", "--file=-", folder],
            input=DOCKERFILE,
            text=True,
            env=environment | {"BUILDX_CONFIG": str(paths.BUILDX)},
            check=True,
        )
    return image


def _manifests(image: str) -> str:
    """Upstream's own, with this image."""
    with tempfile.TemporaryDirectory() as folder:
        resources = []
        for family, (module, manifests) in MODULES.items():
            # A copy: kustomize takes no folder outside of the one that it begins in.
            shutil.copytree(
                _source(family, module) / Path(manifests).parts[0], Path(folder, family)
            )
            resources.append(str(Path(family, *Path(manifests).parts[1:])))
        name, _, tag = image.rpartition(":")
        argument = {"op": "add", "path": "/spec/template/spec/containers/0/args/-"}
        kustomization = {
            "resources": resources,
            "images": [{"name": one, "newName": name, "newTag": tag} for one in IMAGES],
            "patches": [
                {
                    "target": {"kind": "Deployment", "name": "metrics-server"},
                    "patch": yaml.safe_dump([argument | {"value": CERTIFICATE}]),
                }
            ],
        }
        Path(folder, "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
        return _kubectl("kustomize", folder)


def _source(family: str, module: str) -> Path:
    """The folder of the module in Go's cache, at the version that go.mod pins."""
    done = subprocess.run(
        ["go", "mod", "download", "-json", module],
        cwd=paths.SOURCE / "toolchain" / family,
        capture_output=True,
        text=True,
        check=True,
    )
    return Path(json.loads(done.stdout)["Dir"])


def _kubectl(*args: str, text: str | None = None) -> str:
    done = subprocess.run(
        ["kubectl", *args], input=text, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
