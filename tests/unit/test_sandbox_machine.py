"""What the embedded cluster reads from, changes on and gives back to the machine."""

import json
import subprocess
from pathlib import Path

import pytest

from sandbox import (
    bases,
    certificates,
    kernel,
    leftovers,
    mounts,
    packages,
    paths,
    toolchain,
)
from sandbox.errors import SandboxError
from sandbox.mounts import Mount

MOUNTINFO = """\
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
9 27 0:5 / /run/my\\040disk rw,relatime - tmpfs tmpfs rw
"""


def test_mounts() -> None:
    assert mounts.parse(MOUNTINFO) == [Mount(Path("/"), True), Mount(Path("/run/my disk"), False)]


def test_only_mounts_of_pods_and_builds_are_removed() -> None:
    theirs = [paths.STATE, paths.VOLUMES / "disk", paths.KUBELET, Path(f"{paths.RUN}-other/a")]
    ours = [paths.KUBELET / "pods/a", paths.KUBELET / "pods/a/b", paths.RUN / "containerd/c"]
    table = [Mount(point, True) for point in (*theirs, *ours)]
    assert leftovers._mounts(table) == [str(point) for point in reversed(ours)]


def test_nothing_is_deleted_below_which_something_is_mounted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mounts, "table", lambda: [Mount(paths.VOLUMES / "disk", True)])
    with pytest.raises(SandboxError, match="volumes/disk"):
        leftovers.refuse_mounts(paths.STATE)
    leftovers.refuse_mounts(paths.CACHE)


def test_controllers_are_handed_on(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").write_text("cpuset cpu io memory pids misc\n")
    (tmp_path / "cgroup.subtree_control").write_text("cpu\n")
    leftovers._enable_controllers(tmp_path)
    assert (tmp_path / "cgroup.subtree_control").read_text() == "+cpu +cpuset +memory +pids"


def test_controllers_that_are_there_are_left(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").write_text("cpu io pids\n")
    (tmp_path / "cgroup.subtree_control").write_text("cpu pids\n")
    leftovers._enable_controllers(tmp_path)
    assert (tmp_path / "cgroup.subtree_control").read_text() == "cpu pids\n"


def test_refused_controllers_are_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").write_text("cpu pids\n")
    (tmp_path / "cgroup.subtree_control").mkdir()
    with pytest.raises(SandboxError, match="does not take cpu, pids"):
        leftovers._enable_controllers(tmp_path)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with three settings and one private mount."""
    for name, value in {
        "net/ipv4/ip_forward": "0",
        "net/bridge/bridge-nf-call-iptables": "1",
        "fs/inotify/max_user_instances": "8192",
        "kernel/panic": "0",
    }.items():
        file = tmp_path / "sys" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{value}\n")
    monkeypatch.setattr(kernel, "_SETTINGS", tmp_path / "sys")
    monkeypatch.setattr(kernel, "_BEFORE", tmp_path / "before.json")
    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.setattr(mounts, "table", lambda: [Mount(Path("/"), False)])
    return tmp_path / "sys"


def test_settings_are_made_and_given_back(settings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounted: list[tuple[str, ...]] = []
    monkeypatch.setattr(kernel, "_mount", lambda *arguments: mounted.append(arguments))
    kernel.ensure()
    assert (settings / "net/ipv4/ip_forward").read_text() == "1"
    assert (settings / "fs/inotify/max_user_instances").read_text() == "8192\n"
    (settings / "kernel/panic").write_text("10\n")  # as the kubelet does
    kernel.ensure()  # as a second start does
    kernel.restore()
    assert (settings / "net/ipv4/ip_forward").read_text() == "0"
    assert (settings / "kernel/panic").read_text() == "0"
    assert mounted == [("--make-rshared", "/")] * 2 + [("--make-private", "/")]
    kernel.restore()
    assert len(mounted) == 3


def test_another_boots_settings_are_not_given_back(settings: Path) -> None:
    content = {"boot": "another", "settings": {"kernel/panic": "7"}, "private": ["/"]}
    kernel._BEFORE.write_text(json.dumps(content))
    kernel.restore()
    assert (settings / "kernel/panic").read_text() == "0\n"


def test_directories_are_free_of_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to("disk")
    monkeypatch.setenv("XDG_STATE_HOME", f"{tmp_path}/link")
    assert paths._xdg("XDG_STATE_HOME", "x") == tmp_path / "disk" / "airflow-kubernetes"
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert paths._xdg("XDG_STATE_HOME", "link") == tmp_path / "disk" / "airflow-kubernetes"


TARGETS = """\
http://other.example/\tDebian Backports
http://main.example/debian/\tDebian
http://second.example/debian/\tDebian
http://security.example/\tDebian-Security
"""


def test_apt_sources() -> None:
    assert packages._sources(TARGETS, "bookworm") == [
        "deb http://main.example/debian/ bookworm main",
        "deb http://security.example/ bookworm-security main",
    ]
    assert packages._sources(TARGETS, "sid") == ["deb http://main.example/debian/ sid main"]


def test_unusable_apt_sources() -> None:
    with pytest.raises(SandboxError, match="no Debian mirror"):
        packages._sources("http://other.example/\tDebian Backports\n", "bookworm")
    with pytest.raises(SandboxError, match=r"mirror\+file:/etc/apt/mirrors"):
        packages._sources("mirror+file:/etc/apt/mirrors/debian.list/\tDebian\n", "bookworm")


def _answer(monkeypatch: pytest.MonkeyPatch, program: Path, shell: str) -> None:
    program.write_text(f"#!/bin/sh\n{shell}\n")
    program.chmod(0o755)
    monkeypatch.setattr(toolchain, "program", lambda *_: str(program))
    monkeypatch.setattr("sandbox.components.environment", lambda: {"PATH": "/usr/bin:/bin"})


def test_the_recipe_in_the_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = json.dumps({"config": {"Labels": {bases.RECIPE_LABEL: "abc"}}})
    _answer(monkeypatch, tmp_path / "labelled", f"echo '{image}'")
    assert bases._recipe_in_registry(bases.BASES[0]) == "abc"
    _answer(monkeypatch, tmp_path / "absent", "echo 'Error: MANIFEST_UNKNOWN: x' >&2; exit 1")
    assert bases._recipe_in_registry(bases.BASES[0]) == ""
    _answer(monkeypatch, tmp_path / "unreachable", "echo 'proxyconnect: refused' >&2; exit 1")
    with pytest.raises(SandboxError, match="proxyconnect: refused"):
        bases._recipe_in_registry(bases.BASES[0])


def test_module_versions() -> None:
    assert toolchain._module_version("kubernetes", "k8s.io/kubernetes").startswith("v1.")
    with pytest.raises(SandboxError, match="does not require"):
        toolchain._module_version("kubernetes", "k8s.io/kube")


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("go version go1.26.3 linux/amd64", (1, 26, 3)),
        ("go version go1.27rc1 linux/amd64", (1, 27, 0)),
        ("go version devel go1.27-5a2cf1 linux/amd64", (1, 27, 0)),
        ("go version go1.19.8 linux/amd64", (1, 19, 8)),
        ("gccgo", (0, 0, 0)),
    ],
)
def test_go_versions(text: str, version: tuple[int, int, int]) -> None:
    assert toolchain._parse_go_version(text) == version


def test_what_a_killed_build_left_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "TOOLCHAIN", tmp_path)
    for name in (".etcd-a1b2/tree/bin", "etcd-0123456789ab/bin", ".other"):
        (tmp_path / name).mkdir(parents=True)
    toolchain._remove_unfinished()
    assert sorted(path.name for path in tmp_path.iterdir()) == [".other", "etcd-0123456789ab"]


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path / "certificates"
    monkeypatch.setattr(paths, "CERTIFICATES", directory)
    monkeypatch.setattr(paths, "CA", directory / "ca.crt")
    monkeypatch.setattr(paths, "CA_BUNDLE", tmp_path / "ca-bundle.crt")
    monkeypatch.setattr(certificates, "SERVICE_ACCOUNT_PUBLIC_KEY", directory / "sa.pub")
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    return directory


def test_only_a_changed_certificate_is_made_anew(
    authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = {name: certificates._CERTIFICATES[name] for name in ("registry", "admin")}
    monkeypatch.setattr(certificates, "_CERTIFICATES", table)
    certificates.ensure()
    before = {path.name: path.read_bytes() for path in authority.iterdir()}
    digest = certificates.digest()
    certificates.ensure()
    assert {path.name: path.read_bytes() for path in authority.iterdir()} == before
    assert certificates.digest() == digest

    table["registry"] = certificates._Certificate("/CN=registry", ("DNS:new.example",))
    certificates.ensure()
    changed = {path.name for path in authority.iterdir() if path.read_bytes() != before[path.name]}
    assert changed == {"registry.crt", "registry.key", "registry.spec"}
    assert certificates.digest() != digest
    verify = ["openssl", "verify", "-CAfile", "ca.crt", "registry.crt"]
    subprocess.run(verify, cwd=authority, check=True, capture_output=True)


def test_the_users_own_bundle_is_remembered(
    authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority.mkdir()
    own = authority.parent / "own.crt"
    own.write_text("own")
    monkeypatch.setenv("SSL_CERT_FILE", str(own))
    assert certificates._machine_bundle() == own
    monkeypatch.setenv("SSL_CERT_FILE", str(paths.CA_BUNDLE))
    assert certificates._machine_bundle() == own
    monkeypatch.delenv("SSL_CERT_FILE")
    assert certificates._machine_bundle() != own
