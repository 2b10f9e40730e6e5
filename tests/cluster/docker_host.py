"""A Docker host outside of the cluster, as DockerOperator needs one: dockerd over TLS, on this
machine.

The programs are Debian's, unpacked into the cache: nothing is installed, and no daemon of the
machine is started. All that dockerd keeps is in one temporary folder. It changes no bridge and no
iptables rule, so its containers have network mode "none" or "host".
"""

import hashlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from airflow_kubernetes.paths import cache

from sandbox import certificates, commands, components, packages, paths, toolchain
from sandbox.errors import SandboxError
from sandbox.progress import Progress

# Which of these the machine has does not matter: they are used from the cache.
PACKAGES = ("docker.io", "containerd", "libdevmapper1.02.1")
HIERARCHIES = Path("/sys/fs/cgroup")
# dockerd creates these with any options.
OUTSIDE = (Path("/etc/docker"), Path("/run/docker"), Path("/run/containerd"))
SECONDS_TO_START, SECONDS_TO_STOP = 60, 30


@dataclass(frozen=True)
class DockerHost:
    """A Docker host and who may use it: <folder>/client.crt and .key; stranger.crt is not known."""

    address: str
    port: int
    folder: Path
    programs: Path

    def docker(self, *arguments: str, who: str = "client") -> subprocess.CompletedProcess[str]:
        """Run Docker's command line on it."""
        command = [str(self.programs / "usr/bin/docker"), "--tlsverify"]
        command += [f"--host=tcp://{self.address}:{self.port}", f"--tlscacert={paths.CA}"]
        command += [f"--tlscert={self.folder}/{who}.crt", f"--tlskey={self.folder}/{who}.key"]
        # Its own configuration would be in the user's home.
        command += [f"--config={self.folder}/cli"]
        return subprocess.run(
            [*command, *arguments], capture_output=True, text=True, check=False, timeout=60
        )

    def connection(self, who: str = "client") -> str:
        """The Airflow connection `docker_host`, in the form of a variable AIRFLOW_CONN_…."""
        return json.dumps(
            {
                "conn_type": "generic",
                "host": self.address,
                "port": self.port,
                "extra": {
                    "ca": paths.CA.read_text(),
                    "cert": (self.folder / f"{who}.crt").read_text(),
                    "key": (self.folder / f"{who}.key").read_text(),
                },
            }
        )

    def take(self, image: str) -> None:
        """Make an image of the sandbox's registry known here, by the same name.

        Its files are imported as one layer: the registry's layers are compressed with zstd, which
        Debian's dockerd cannot read.
        """
        tar = self.folder / "image.tar"
        crane = toolchain.program("crane", "crane")
        with tar.open("wb") as file:
            export = [crane, "export", image, "-"]
            subprocess.run(export, stdout=file, env=components.environment(), check=True)
        done = self.docker("import", str(tar), image)
        assert done.returncode == 0, done.stderr
        tar.unlink()


@contextmanager
def docker_host() -> Iterator[DockerHost]:
    """A running Docker host that is gone, with all its containers, at the end.

    Raises:
        SandboxError: the packages cannot be had, or dockerd did not start; with the reason.
    """
    progress = Progress()
    programs = unpacked(PACKAGES, progress)
    with tempfile.TemporaryDirectory(prefix="docker-host-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        address = paths.BRIDGE_ADDRESS
        certificates.issue(folder / "server", "/CN=docker-host", (f"IP:{address}",))
        certificates.issue(folder / "client", "/CN=airflow")
        _self_signed(folder / "stranger", "/CN=airflow")
        host = DockerHost(address, _free_port(address), folder, programs)
        made = [outside for outside in OUTSIDE if not outside.exists()]
        log = folder / "dockerd.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                _dockerd(host), env=environment(programs), stdout=file, stderr=file
            )
        try:
            wait(lambda: host.docker("version"), process, log)
            progress(f"Docker host: listens on {address}:{host.port}")
            yield host
        finally:
            stop(process)
            remove_cgroups(folder.name)
            for outside in made:
                shutil.rmtree(outside, ignore_errors=True)


def unpacked(names: tuple[str, ...], progress: Progress) -> Path:
    """The files of Debian packages, in the cache. Raises SandboxError."""
    key = hashlib.sha256(repr(names).encode()).hexdigest()[:16]
    target = cache() / f"docker-host-{key}"
    if not target.is_dir():
        packages.ensure_lists(progress)
        cache().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache(), prefix=".docker-host-") as name:
            folder, root = Path(name), Path(name) / "root"
            commands.run(
                ["apt-get", "--quiet", "download", *names],
                "Docker host: packages",
                progress,
                remedy="make `apt-get update` work",
                directory=folder,
            )
            for package in folder.glob("*.deb"):
                commands.run(
                    ["dpkg-deb", "--extract", str(package), str(root)], package.name, progress
                )
            # It appears by a rename, so that one that exists is complete.
            root.rename(target)
    return target


def environment(programs: Path) -> dict[str, str]:
    """Variables with which programs that were unpacked find each other and their libraries."""
    folders = [str(programs / "usr/sbin"), str(programs / "usr/bin"), os.environ["PATH"]]
    libraries = {str(library.parent) for library in programs.rglob("*.so.*")}
    return os.environ | {
        "PATH": ":".join(folders),
        "LD_LIBRARY_PATH": ":".join(sorted(libraries)),
    }


def _dockerd(host: DockerHost) -> list[str]:
    folder = host.folder
    return [
        # A test that is killed takes its Docker host with it.
        *("setpriv", "--pdeathsig", "TERM"),
        # Its mounts end with it.
        *("unshare", "--mount"),
        str(host.programs / "usr/sbin/dockerd"),
        f"--host=tcp://{host.address}:{host.port}",
        "--tlsverify",
        f"--tlscacert={paths.CA}",
        f"--tlscert={folder}/server.crt",
        f"--tlskey={folder}/server.key",
        f"--data-root={folder}/data",
        f"--exec-root={folder}/exec",
        f"--pidfile={folder}/dockerd.pid",
        "--storage-driver=vfs",  # works on every file system
        "--shutdown-timeout=2",
        f"--cgroup-parent=/{folder.name}",
        "--oom-score-adjust=0",  # the default is less, which not every machine permits
        "--bridge=none",
        "--iptables=false",
        "--ip6tables=false",
        "--ip-forward=false",
        "--log-level=warn",
    ]


def wait(
    version: Callable[[], subprocess.CompletedProcess[str]],
    process: subprocess.Popen[bytes],
    log: Path,
) -> None:
    """Until `docker version` answers. Raises SandboxError with the end of dockerd's log."""
    end = time.monotonic() + SECONDS_TO_START
    while (answer := version()).returncode:
        if process.poll() is not None or time.monotonic() > end:
            state = "ended" if process.poll() is not None else answer.stderr.strip()
            tail = "\n  ".join(log.read_text(errors="replace").splitlines()[-15:])
            raise SandboxError(f"dockerd does not answer: {state}; the end of its log:\n  {tail}")
        time.sleep(0.2)


def stop(process: subprocess.Popen[bytes]) -> None:
    """Stopping, dockerd ends its containers and its containerd too."""
    process.terminate()
    try:
        process.wait(SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def remove_cgroups(name: str) -> None:
    """Of dockerd's containers. They are empty: those have ended."""
    for hierarchy in HIERARCHIES.iterdir():
        for group in sorted((hierarchy / name).glob("**/"), reverse=True):
            group.rmdir()


def _free_port(address: str) -> int:
    with socket.socket() as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])


def _self_signed(stem: Path, subject: str) -> None:
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-subj", subject, "-keyout", f"{stem}.key", "-out", f"{stem}.crt"]
    commands.capture(command, "install OpenSSL 3")
