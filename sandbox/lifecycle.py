"""Brings the sandbox up and down."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial

from . import (
    api,
    bases,
    certificates,
    components,
    configuration,
    kernel,
    leftovers,
    locks,
    network,
    packages,
    paths,
    preflight,
    processes,
    storage,
    toolchain,
)
from .errors import SandboxError
from .processes import Process
from .progress import Progress

_OWNER = paths.RUN / "state"
"""Names the state directory of what is up."""
_SECONDS_FOR_PODS = 10
_SECONDS_FOR_PROCESSES = 5
_SECONDS_TO_RECOVER = 30


def up(progress: Progress) -> None:
    """Makes sure that everything runs; restarts everything if a part is dead, unwell or outdated.

    Raises:
        SandboxError: the machine lacks something, or a process died or did not get ready.
    """
    if os.geteuid() != 0:
        preflight.check()
    with _locked(progress):
        if _is_up(progress):
            bases.ensure(progress)
        else:
            preflight.check()
            packages.ensure(progress)
            bases.check(progress)
            # mmdebstrap waits for the network and the disk, and the compiler does not.
            with ThreadPoolExecutor(1) as pool:
                prepared = pool.submit(bases.prepare, progress)
                toolchain.ensure(toolchain.FAMILIES, progress)
                prepared.result()
            _stop(progress)
            _start(progress)
        storage.ensure(progress)


def down(progress: Progress) -> None:
    """Stops everything and cleans up; the state stays."""
    require_root()
    with _locked(progress):
        _stop(progress)


def delete(progress: Progress) -> None:
    """Stops everything, cleans up, and deletes the state with all volumes' data."""
    require_root()
    with _locked(progress):
        _stop(progress)
        if paths.STATE.exists():
            leftovers.refuse_mounts(paths.STATE)
            shutil.rmtree(paths.STATE)


def _is_up(progress: Progress) -> bool:
    """Whether every process runs as it would be started now, and is well; if not, it says why."""
    if shutil.which("go") is None or not processes.recorded():
        return False
    certificates.ensure()
    current = configuration.digest()
    wanted = components.every()
    faults = [f"{process.name} is dead" for process in wanted if not processes.find(process.name)]
    if not faults:
        outdated = [part.name for part in wanted if not processes.is_current(part, current)]
        if outdated:
            faults = [f"{', '.join(outdated)} would be started differently now"]
    if not faults:
        faults = _faults_that_stay(wanted, progress)
    if faults:
        progress(f"restarting everything: {'; '.join(faults)}")
    return not faults


def _faults_that_stay(wanted: Sequence[Process], progress: Progress) -> list[str]:
    """What is unwell, and stays so for a while: a busy machine answers late."""
    deadline = progress.elapsed + _SECONDS_TO_RECOVER
    faults = _faults(wanted)
    if faults:
        progress(f"waiting up to {_SECONDS_TO_RECOVER} s: {'; '.join(faults)}")
    with progress.signs_of_life(lambda _: f"still waiting: {'; '.join(faults)}"):
        while faults and progress.elapsed < deadline:
            time.sleep(1)
            faults = _faults(wanted)
    return faults


def _faults(wanted: Sequence[Process]) -> list[str]:
    with ThreadPoolExecutor(len(wanted)) as pool:
        answers = zip(wanted, pool.map(processes.fault, wanted), strict=True)
    faults = [f"{process.name} is {fault}" for process, fault in answers if fault]
    if not faults and (reason := _node_fault()):
        faults = [f"the node is not ready ({reason})"]
    return faults


def _start(progress: Progress) -> None:
    for directory in (paths.STATE, paths.LOGS, paths.ETCD, paths.PULUMI):
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    _OWNER.write_text(str(paths.STATE))
    kernel.ensure()
    network.ensure()
    leftovers.make_cgroup()
    certificates.ensure()
    configuration.write()
    current = configuration.digest()
    environment = components.environment()
    started = datetime.now(UTC).replace(microsecond=0)

    running: list[Process] = []

    def launch(*members: Process) -> None:
        for process in members:
            processes.start(process, environment, current)
        running.extend(members)

    def ready(*members: Process) -> None:
        for process in members:
            names = [other.name for other in running]
            is_healthy = partial(processes.healthy, process)
            processes.wait(process.name, is_healthy, names, progress)

    progress("starting registry, buildkitd, etcd, containerd")
    registry, buildkitd, etcd, containerd = components.foundation()
    launch(registry, buildkitd, etcd, containerd)
    ready(etcd)
    api_server = components.api_server()
    launch(api_server)
    ready(registry, buildkitd)
    _register_builder()
    bases.ensure(progress)
    ready(containerd, api_server)
    progress("API server ready, starting the parts that need it")
    _let_coredns_read()
    launch(*components.cluster())
    ready(*components.cluster())
    names = [process.name for process in running]
    processes.wait("node Ready", lambda: not _node_fault(started), names, progress)
    progress("node Ready")


def _stop(progress: Progress) -> None:
    names = processes.recorded()
    if any(map(processes.find, names)):
        progress("stopping pods and processes")
    with progress.signs_of_life(lambda seconds: f"stopping: {seconds:.0f} s"):
        # The kubelet first, or it starts pods again; etcd last, for those that still write.
        processes.stop([name for name in names if name == "kubelet"], _SECONDS_FOR_PROCESSES)
        leftovers.end_pods(_SECONDS_FOR_PODS)
        # The API server keeps nothing, and would wait for its clients' watches to end.
        processes.stop([name for name in names if name == "kube-apiserver"], 0)
        processes.stop([name for name in names if name != "etcd"], _SECONDS_FOR_PROCESSES)
        processes.stop(names, _SECONDS_FOR_PROCESSES)
        leftovers.clean()


def _node_fault(since: datetime | None = None) -> str:
    """Why the node is not ready; empty if it is. A kubelet's report from before does not count."""
    try:
        node = api.get(f"/api/v1/nodes/{paths.NAME}")
    except SandboxError as error:
        return str(error)
    for condition in node.get("status", {}).get("conditions", []):
        if condition["type"] == "Ready":
            if since and datetime.fromisoformat(condition["lastHeartbeatTime"]) < since:
                break
            return "" if condition["status"] == "True" else str(condition["message"])
    return "the kubelet has not reported yet"


def _let_coredns_read() -> None:
    """Kubernetes has bootstrap roles for all its own parts, and CoreDNS is not one of them."""
    group = "rbac.authorization.k8s.io"
    role = "sandbox:coredns"
    verbs = ["list", "watch"]
    api.apply(
        f"/apis/{group}/v1/clusterroles/{role}",
        {
            "apiVersion": f"{group}/v1",
            "kind": "ClusterRole",
            "metadata": {"name": role},
            "rules": [
                {"apiGroups": [""], "resources": ["services", "namespaces"], "verbs": verbs},
                {
                    "apiGroups": ["discovery.k8s.io"],
                    "resources": ["endpointslices"],
                    "verbs": verbs,
                },
            ],
        },
    )
    api.apply(
        f"/apis/{group}/v1/clusterrolebindings/{role}",
        {
            "apiVersion": f"{group}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": role},
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": role},
            "subjects": [{"apiGroup": group, "kind": "User", "name": "system:coredns"}],
        },
    )


def _register_builder() -> None:
    """Names the builder for buildx, in a directory of the sandbox's own."""
    if (paths.BUILDX / "instances" / paths.NAME).exists():
        return
    command = [toolchain.program("buildx", "buildx"), "create", "--name", paths.NAME, "--use"]
    command += ["--driver", "remote", f"unix://{paths.BUILDKIT_SOCKET}"]
    result = subprocess.run(
        command,
        env=os.environ | {"BUILDX_CONFIG": str(paths.BUILDX)},
        check=False,
        capture_output=True,
        text=True,
    )
    if result.returncode:
        raise SandboxError(f"buildx did not accept the builder: {result.stderr.strip()}")


def require_root() -> None:
    """Raises SandboxError for any other user."""
    if os.geteuid() != 0:
        raise SandboxError(preflight.NOT_ROOT)


@contextmanager
def _locked(progress: Progress) -> Iterator[None]:
    """One command at a time changes the sandbox; a second one waits for the first."""
    paths.RUN.mkdir(exist_ok=True, mode=0o700)
    with locks.held(paths.RUN / "lock", "another sandbox command", progress):
        _require_same_state()
        yield


def _require_same_state() -> None:
    """A machine has room for one sandbox: its addresses and names are fixed."""
    owner = _OWNER.read_text() if _OWNER.exists() else str(paths.STATE)
    if owner != str(paths.STATE):
        raise SandboxError(
            f"a sandbox whose state is in {owner} is up, this command is for {paths.STATE}. "
            f"Remedy: use the HOME and XDG_STATE_HOME that it was started with"
        )
