"""Prints how the sandbox is."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from . import api, components, paths, processes, storage
from .errors import SandboxError
from .processes import Process


def report() -> bool:
    """Prints a line per process, the node, the volumes and the addresses; True if all is well."""
    wanted = components.every()
    with ThreadPoolExecutor(len(wanted)) as pool:
        well = list(pool.map(processes.healthy, wanted))
    for process, is_well in zip(wanted, well, strict=True):
        print(_process_line(process, is_well))
    try:
        node_is_ready = _report_node()
        _report_volumes()
    except SandboxError as error:
        print(f"node      unknown: {error}")
        return False
    _report_addresses()
    return all(well) and node_is_ready


def _process_line(process: Process, is_well: bool) -> str:
    running = processes.find(process.name)
    if running is None:
        died = process.name in processes.recorded()
        state = f"dead, see {processes.log_file(process.name)}" if died else "not running"
        return f"{process.name:<24} {'-':>8} {'-':>16}  {state}"
    uptime = timedelta(seconds=round(running.uptime))
    state = "healthy" if is_well else f"not healthy, see {processes.log_file(process.name)}"
    return f"{process.name:<24} {running.pid:>8} {uptime!s:>16}  {state}"


def _report_node() -> bool:
    node = api.get(f"/api/v1/nodes/{paths.NAME}")
    items = node.get("status", {}).get("conditions", [])
    conditions = {item["type"]: item["status"] for item in items}
    ready = conditions.get("Ready") == "True"
    pressure = [name for name, value in conditions.items() if name != "Ready" and value == "True"]
    version = node["status"]["nodeInfo"]["kubeletVersion"]
    reasons = [item["message"] for item in items if item["type"] == "Ready" and not ready]
    notes = "".join(f", {note}" for note in (*reasons, *pressure))
    print(f"node      {paths.NAME} {version} {'Ready' if ready else 'not ready'}{notes}")
    return ready


def _report_volumes() -> None:
    volumes = storage.volumes()
    phases = [volume.phase for volume in volumes]
    print(
        f"volumes   {phases.count('Available')} free, {phases.count('Bound')} bound, "
        f"{phases.count('Released')} released"
    )
    for volume in volumes:
        if volume.phase == "Released":
            print(
                f"          delete {volume.name} and its data: "
                f"kubectl delete pv {volume.name} && rm -r {volume.directory}"
            )


def _report_addresses() -> None:
    print(f"API       {paths.API_SERVER} (context {paths.NAME} in {paths.KUBECONFIG})")
    print(f"registry  https://{paths.REGISTRY_HOST}")
    print(f"builder   {paths.NAME} (buildx), unix://{paths.BUILDKIT_SOCKET}")
    print('shell     eval "$(python -m sandbox env)"')
