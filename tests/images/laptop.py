"""An author's machine: Debian's dockerd with a network of its own, and Docker Compose.

Docker is Debian's, unpacked into the cache: nothing is installed, and no daemon of the machine is
started. Debian 12 has no Docker Compose 2, so it is built like the sandbox's tools. dockerd runs in
a network namespace of its own, so its bridges, iptables rules and published ports are nobody
else's and end with it; a pair of veths leads to the sandbox's bridge, and so to its registry. All
that it keeps is in one temporary folder.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox import paths, toolchain
from sandbox.progress import Progress
from tests.cluster import docker_host

ADDRESS = "10.203.77.2"
"""Of dockerd's network, as the sandbox's registry sees it."""


@dataclass(frozen=True)
class Laptop:
    """A running dockerd. `environment` is that of a user whose `docker` it is."""

    folder: Path
    pid: int
    environment: Mapping[str, str]

    def run(
        self, *command: str, cwd: Path | None = None, timeout: float = 300, **more: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command there: with its `docker`, and in its network."""
        return subprocess.run(
            ["nsenter", f"--net=/proc/{self.pid}/ns/net", *command],
            cwd=cwd,
            env={**self.environment, **more},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
        )

    def take(self, image: str) -> None:
        """Make an image of the sandbox's registry known here, by the same name.

        Rebuilt from itself, without compression: its layers have zstd's, which Debian's dockerd
        cannot read.
        """
        tar, context = self.folder / "image.tar", self.folder / "context"
        context.mkdir(exist_ok=True)
        (context / "Dockerfile").write_text(f"FROM {image}\n")
        output = f"type=docker,name={image},dest={tar},compression=uncompressed"
        build = [toolchain.program("buildx", "buildx"), "build", str(context)]
        build += ["--builder", paths.NAME, "--provenance=false", "--output"]
        subprocess.run([*build, f"{output},force-compression=true"], check=True)
        done = self.run("docker", "load", "--input", str(tar))
        assert done.returncode == 0, done.stderr
        tar.unlink()


@contextmanager
def laptop() -> Iterator[Laptop]:
    """A running dockerd that is gone, with containers, images, volumes and network, at the end.

    Raises:
        SandboxError: packages or Compose are unavailable, or dockerd did not start.
    """
    progress = Progress()
    programs = docker_host.unpacked(docker_host.PACKAGES, progress)
    toolchain.ensure(["compose"], progress)
    with ExitStack() as stack:
        temporary = tempfile.TemporaryDirectory(prefix="laptop-", ignore_cleanup_errors=True)
        folder = Path(stack.enter_context(temporary))
        plugin = folder / "cli" / "cli-plugins" / "docker-compose"
        plugin.parent.mkdir(parents=True)
        plugin.symlink_to(toolchain.program("compose", "docker-compose"))
        address = f"unix://{folder}/docker.sock"
        environment = docker_host.environment(programs)
        environment["DOCKER_HOST"] = address
        environment["DOCKER_CONFIG"] = str(folder / "cli")
        for outside in docker_host.OUTSIDE:
            if not outside.exists():
                stack.callback(shutil.rmtree, outside, ignore_errors=True)
        stack.callback(docker_host.remove_cgroups, folder.name)
        log = folder / "dockerd.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                _dockerd(folder, address), env=environment, stdout=file, stderr=file
            )
        stack.callback(docker_host.stop, process)
        running = Laptop(folder, process.pid, environment)
        docker_host.wait(lambda: running.run("docker", "version"), process, log)
        _connect(process.pid)
        stack.callback(subprocess.run, ["ip", "route", "delete", ADDRESS], check=False)
        progress("Docker: runs in a network of its own")
        yield running


def _dockerd(folder: Path, address: str) -> list[str]:
    return [
        # A test that is killed takes it along; its mounts and its network end with it.
        *("setpriv", "--pdeathsig", "TERM"),
        *("unshare", "--mount", "--net"),
        "dockerd",
        f"--host={address}",
        f"--data-root={folder}/data",
        f"--exec-root={folder}/exec",
        f"--pidfile={folder}/dockerd.pid",
        "--shutdown-timeout=5",
        f"--cgroup-parent=/{folder.name}",
        "--oom-score-adjust=0",  # the default is less, which not every machine permits
        "--log-level=warn",
    ]


def _connect(pid: int) -> None:
    """Lay the way to the sandbox's bridge: from elsewhere the sandbox takes no packets.

    The address is none of a pod's. The veths end with dockerd's network, the route with the bridge.
    """
    inside = ["nsenter", f"--net=/proc/{pid}/ns/net"]
    name = f"laptop{pid}"
    for command in (
        ["ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", str(pid)],
        ["ip", "link", "set", name, "master", paths.BRIDGE, "up"],
        ["ip", "route", "replace", ADDRESS, "dev", paths.BRIDGE],
        [*inside, "ip", "address", "add", f"{ADDRESS}/32", "dev", "eth0"],
        [*inside, "ip", "link", "set", "lo", "up"],
        [*inside, "ip", "link", "set", "eth0", "up"],
        [*inside, "ip", "route", "add", paths.BRIDGE_ADDRESS, "dev", "eth0"],
    ):
        subprocess.run(command, check=True)
