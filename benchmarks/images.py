"""The part of `make bench` that builds images: sizes, cold and warm builds, edits, QEMU. Asserts
nothing.

Every image is built for both platforms under a name of its own in the sandbox's registry. "Cold"
has no layer cached, and packages downloaded before.
"""

import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from airflow_kubernetes.airflow import image_catalog
from airflow_kubernetes.environment import load
from airflow_kubernetes.images import build_options, buildx
from airflow_kubernetes.images.specs import ImageSpec
from airflow_kubernetes.settings.schema import Settings

from sandbox import components, toolchain
from sandbox.progress import Progress
from tests.cluster import docker_host
from tests.cluster.conftest import use_sandbox

PLATFORMS = ("linux/amd64", "linux/arm64")
ROW = "{:<16}{:<8}{:>12}{:>8}{:>8}{:>8}{:>10}{:>12}"
BINFMT = Path("/proc/sys/fs/binfmt_misc")
# The ELF header of an arm64 program, and which of its bytes count (QEMU's qemu-binfmt-conf.sh).
MAGIC = r"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00"
MASK = r"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff"


def timed(step: Callable[[], object]) -> float:
    """Seconds that `step` takes."""
    started = time.perf_counter()
    step()
    return time.perf_counter() - started


@contextmanager
def more(*options: str) -> Iterator[None]:
    """Builds with more options of buildx, and without their output."""
    run = buildx._run

    def quiet(
        command: list[str], variables: dict[str, str], show: Callable[[str], object] | None = None
    ) -> str | None:
        done = subprocess.run(
            [*command, *options],
            env={**os.environ, **variables},
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        return done.stderr if done.returncode else None

    buildx._run = quiet
    try:
        yield
    finally:
        buildx._run = run


def edited(spec: ImageSpec, path: str, number: int) -> ImageSpec:
    """The image with a comment at the end of a file."""
    files = tuple(
        replace(file, content=file.content + f"\n# edit {number} of {time.time()}\n".encode())
        if file.path == path
        else file
        for file in spec.files
    )
    return replace(spec, files=files)


def crane(*command: str) -> bytes:
    """Standard output of crane."""
    return subprocess.run(
        [toolchain.program("crane", "crane"), *command],
        env=components.environment(),
        capture_output=True,
        check=True,
    ).stdout


def sizes(reference: str) -> tuple[float, float]:
    """MB compressed (what is pulled) and unpacked."""
    manifest = json.loads(crane("manifest", reference))
    packed = sum(layer["size"] for layer in manifest["layers"])
    with tempfile.TemporaryFile() as tar:
        subprocess.run(
            [toolchain.program("crane", "crane"), "export", reference, "-"],
            env=components.environment(),
            stdout=tar,
            check=True,
        )
        return packed / 1e6, tar.tell() / 1e6


def seconds(settings: Settings, spec: ImageSpec, platform: str, on: str | None = None) -> float:
    """How long a build takes, pushed."""
    return timed(lambda: buildx.build(settings, spec, platform, on))


def row(settings: Settings, spec: ImageSpec, platform: str, on: str | None) -> str:
    """One line: sizes in MB; seconds cold, warm, after an edit of code and one of the packages.

    Returns the image's reference; `on` is that of the one on which it is a layer.
    """

    def path(*beginnings: str) -> list[str]:
        return [file.path for file in spec.files if file.path.startswith(beginnings)]

    (code,) = path("usr/local/airflow/dags/smoke.py", "entrypoint.sh", "task.py")
    with more("--no-cache"):
        cold = seconds(settings, spec, platform, on)
    with more():
        reference = buildx.build(settings, spec, platform, on)
        packed, unpacked = sizes(reference)
        warm = seconds(settings, spec, platform, on)
        edits = [
            *(edited(spec, code, i) for i in range(3)),
            *(edited(spec, one, 0) for one in path("locks/", "requirements.txt")),
        ]
        changed = [seconds(settings, edit, platform, on) for edit in edits]
    times = [cold, warm, statistics.median(changed[:3]), *changed[3:]]
    print(
        ROW.format(
            spec.name,
            build_options.architecture(platform),
            f"{packed:.0f}",
            f"{unpacked:.0f}",
            *(f"{time:.1f}" for time in times),
            *([] if spec.on is None else ["-"]),  # no packages of its own
        ),
        flush=True,
    )
    return reference


@contextmanager
def emulation() -> Iterator[None]:
    """arm64 programs run on this machine by QEMU, also in builds, until the end of the block."""
    folder = docker_host.unpacked(("qemu-user-static",), Progress())
    rule = f":airflow-bench:M::{MAGIC}:{MASK}:{folder}/usr/bin/qemu-aarch64-static:F"
    (BINFMT / "register").write_text(rule)
    try:
        yield
    finally:
        (BINFMT / "airflow-bench").write_text("-1")


def base_for_builders(settings: Settings) -> str:
    """The arm64 base with what a builder needs: nothing of the stand-in's packages was configured,
    and apt cannot read its keys without awk.
    """
    reference = f"{settings.images.registry}/base"
    with tempfile.TemporaryDirectory() as folder:
        base = settings.images.python_base_image.format(python=settings.images.airflow.python)
        Path(folder, "Dockerfile").write_text(f"FROM {base}\nRUN ln -s mawk /usr/bin/awk\n")
        command = [*buildx.program(), "build", folder, f"--platform={PLATFORMS[1]}", "--push"]
        command += [f"--builder={settings.images.builder.name}", f"--tag={reference}"]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    return reference


def with_and_without_qemu(settings: Settings, spec: ImageSpec) -> None:
    """The same arm64 image, its builder stage on this machine's platform and on arm64."""
    with more("--no-cache"):
        without = seconds(settings, spec, PLATFORMS[1])
    with emulation():
        arguments = {
            "BUILDPLATFORM": PLATFORMS[1],
            "PYTHON_BASE_IMAGE": base_for_builders(settings),
        }
        with more("--no-cache", *(f"--build-arg={key}={arguments[key]}" for key in arguments)):
            emulated = seconds(settings, spec, PLATFORMS[1])
    print(
        f"{spec.name} for arm64, cold: {without:.0f} s without QEMU, {emulated:.0f} s with it: "
        f"{emulated / without:.1f} x",
        flush=True,
    )


def first_line(settings: Settings) -> None:
    """From the start of a container to the first line of `airflow version`, on this platform."""
    with more():
        reference = buildx.build(settings, image_catalog.airflow(settings), PLATFORMS[0])
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # it becomes the root of another user
        tar = Path(folder, "image.tar")
        crane("export", reference, str(tar))
        subprocess.run(["tar", "-xf", tar, "-C", folder], check=True)
        variables = json.loads(crane("config", reference))["config"]["Env"]
        command = (
            *("unshare", "--mount", "--pid", "--fork", "chroot", "--userspec=50000:0", folder),
            *("env", "-i", *variables, "/entrypoint.sh", "version"),
        )

        def start() -> None:
            subprocess.run(command, stdout=subprocess.DEVNULL, check=True)

        times = [timed(start) for _ in range(5)]
    print(f"airflow version: {statistics.median(times):.2f} s", flush=True)


def main() -> None:
    """Print the table."""
    use_sandbox()
    platforms = ",".join(PLATFORMS)
    settings = load(
        "sandbox", f"images.registry=10.244.0.1:5000/bench images.platforms=[{platforms}]"
    )
    print(ROW.format("image", "for", "MB packed", "MB", "cold s", "warm s", "code s", "packages s"))
    built: dict[tuple[str, str], str] = {}
    for spec in image_catalog.every(settings):
        for platform in PLATFORMS:
            on = built.get((spec.on.name, platform)) if spec.on else None
            built[spec.name, platform] = row(settings, spec, platform, on)
    first_line(settings)
    with_and_without_qemu(settings, image_catalog.every(settings)[-1])


if __name__ == "__main__":
    main()
