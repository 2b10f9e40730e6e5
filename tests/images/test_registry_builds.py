"""Real builds that fail, and their messages; and that secrets stay out of layers."""

import base64
import gzip
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from airflow_kubernetes.images.failures import explain, failure
from airflow_kubernetes.registry.client import Repository
from airflow_kubernetes.registry.login import Login, for_docker
from backports import zstd

from .conftest import PASSWORD, USER, Builder, Running, building, free_port
from .images import pull_blob, pull_manifest

COPIED = "FROM scratch\nCOPY rootfs/ /\n"


def failing(
    builder: Builder, context: Path, dockerfile: str, image: str, login: Path | None = None
) -> str:
    """The message of this build."""
    (context / "Dockerfile").write_text(dockerfile)
    push = f"--output=type=image,name={image},push=true"
    code, output = builder.build(context, push, login=login)
    assert code
    message = explain("task-pandas", "linux/arm64", output)
    assert message.startswith("task-pandas (linux/arm64): the build failed at the step ")
    return message


def logged_in(folder: Path, host: str, password: str) -> Path:
    folder.mkdir()
    auth = base64.b64encode(f"{USER}:{password}".encode()).decode()
    (folder / "config.json").write_text(json.dumps({"auths": {host: {"auth": auth}}}))
    return folder


def test_a_step_that_fails(builder: Builder, shell: Path, registry: Running) -> None:
    script = (
        "exec 2>&1; i=0; while [ $i -lt 30 ]; do i=$((i+1)); echo line $i; done; nonsense --flag"
    )
    message = failing(builder, shell, f"{COPIED}RUN {script}\n", f"{registry.host}/a:1")
    assert "at the step [2/2] RUN exec 2>&1; i=0;" in message
    assert "    line 12\n" in message
    assert "    line 11\n" not in message
    assert "nonsense: not found\n" in message
    assert "exit code: 127" in message
    assert "fix what the step's last lines report" in message
    assert not Repository(f"{registry.host}/a").tags()


def test_a_program_of_another_architecture(
    builder: Builder, shell: Path, registry: Running
) -> None:
    # An ELF header of s390x, for which no emulator is registered.
    header = b"\x7fELF\x02\x02\x01" + bytes(9) + b"\x00\x02\x00\x16" + bytes(44)
    (shell / "rootfs/bin/foreign").write_bytes(header)
    (shell / "rootfs/bin/foreign").chmod(0o755)
    message = failing(
        builder, shell, f'{COPIED}RUN ["/bin/foreign"]\n', f"{registry.host}/foreign:1"
    )
    assert "only copy in the final one" in message


@pytest.mark.parametrize("password", ["wrong", ""])
def test_wrong_credentials(
    builder: Builder, shell: Path, locked: Running, tmp_path: Path, password: str
) -> None:
    login = logged_in(tmp_path / "login", locked.host, password) if password else None
    message = failing(builder, shell, COPIED, f"{locked.host}/a:1", login)
    assert "at the step exporting to image" in message
    assert f"failed to push {locked.host}/a:1" in message
    assert "Remedy: log in" in message
    base = failing(
        builder, shell, f"FROM {locked.host}/base:1\nCOPY rootfs/ /\n", f"{locked.host}/a:1", login
    )
    assert f"at the step [internal] load metadata for {locked.host}/base:1" in base
    assert "Remedy: log in" in base


def test_a_login_that_is_given_builds_and_pushes(
    builder: Builder, shell: Path, locked: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    (shell / "Dockerfile").write_text(COPIED)
    with for_docker(f"{locked.host}/team", Login(USER, PASSWORD)) as environment:
        folder = Path(environment["DOCKER_CONFIG"])
        push = f"--output=type=image,name={locked.host}/team/a:1,push=true"
        code, _ = builder.build(shell, push, login=folder)
    assert code == 0
    assert not folder.exists()


def test_a_registry_that_does_not_answer(builder: Builder, shell: Path) -> None:
    message = failing(builder, shell, COPIED, f"127.0.0.1:{free_port()}/a:1")
    assert "connection refused" in message
    assert "Remedy: it cannot be reached" in message


def test_a_base_that_is_not_there(builder: Builder, shell: Path, registry: Running) -> None:
    message = failing(builder, shell, f"FROM {registry.host}/no:1\n", f"{registry.host}/a:1")
    assert "there is no such base image" in message


def test_a_rate_limit(builder: Builder, shell: Path, limited: str) -> None:
    message = failing(builder, shell, f"FROM {limited}/base:1\n", f"{limited}/a:1")
    assert "429 Too Many Requests" in message
    assert "Remedy: the registry has had too many requests" in message


def test_a_full_disk(tools: None, shell: Path, registry: Running, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    (shell / "rootfs/large").write_bytes(os.urandom(20 << 20))
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "none", str(disk)], check=True)
    try:
        with building(tmp_path / "builder", registry, root=disk) as small:
            message = failing(small, shell, COPIED, f"{registry.host}/full:1")
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)
    assert "no space left on device" in message
    assert "Remedy: the builder's disk is full" in message


def test_a_mistake_in_the_dockerfile(builder: Builder, shell: Path, registry: Running) -> None:
    (shell / "Dockerfile").write_text("FROM scratch\nCPY a b\n")
    code, output = builder.build(shell)
    assert code
    assert "unknown instruction: CPY" in explain("airflow", "linux/amd64", output)


def test_the_step_that_failed_is_not_one_that_was_canceled() -> None:
    found = failure(
        "#5 [builder 1/2] RUN slow\n#6 [final 1/2] RUN quick\n#6 0.1 oh no\n#5 0.2 still busy\n"
        "#6 ERROR: process did not complete successfully: exit code: 1\n"
        "#5 [builder 1/2] RUN slow\n#5 ERROR: context canceled\n"
        "ERROR: failed to solve: process did not complete successfully: exit code: 1\n"
    )
    assert found.step == "[final 1/2] RUN quick"
    assert found.lines == ("oh no",)


def test_output_without_any_step() -> None:
    message = explain("airflow", "linux/amd64", 'ERROR: no builder "airflow" found\n')
    assert 'no builder "airflow" found' in message


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_authorities_and_proxies_are_in_no_layer(
    builder: Builder, shell: Path, registry: Running, tmp_path: Path, compression: str
) -> None:
    authority = "-----BEGIN CERTIFICATE-----\nTWVudGlyb24gUHJpdmF0ZSBBdXRob3JpdHk\n"
    proxy = "http://somebody:sesame-open@proxy.example:3128"
    (tmp_path / "ca.crt").write_text(authority)
    (shell / "Dockerfile").write_text(
        f"{COPIED}RUN --mount=type=secret,id=ca read -r line < /run/secrets/ca && "
        '[ "$line" = "-----BEGIN CERTIFICATE-----" ] && [ -n "$HTTPS_PROXY" ] && '
        '[ -n "$http_proxy" ] && echo ran > /ran\n'
    )
    name = f"{registry.host}/secrets-{compression}"
    code, output = builder.build(
        shell,
        f"--secret=id=ca,src={tmp_path / 'ca.crt'}",
        f"--build-arg=HTTPS_PROXY={proxy}",
        f"--build-arg=http_proxy={proxy}",
        f"--output=type=image,name={name}:1,push=true,oci-mediatypes=true,"
        f"compression={compression},force-compression=true",
    )
    assert code == 0, output
    found = dict(everything(name))
    assert any(b"ran" in content for content in found.values())
    assert b"RUN" in found["config"]
    for where, content in found.items():
        for secret in (b"TWVudGlyb24", b"sesame-open", b"proxy.example"):
            assert secret not in content, where


def everything(name: str) -> Iterator[tuple[str, bytes]]:
    """All bytes of an image: manifest, configuration with its history, and layers, unpacked."""
    manifest = pull_manifest(name, "1")
    yield "manifest", manifest.raw
    yield "config", pull_blob(name, manifest.content["config"]["digest"])
    for layer in manifest.content["layers"]:
        packed = pull_blob(name, layer["digest"])
        open_ = {"gzip": gzip.decompress, "zstd": zstd.decompress}
        yield layer["digest"], open_[layer["mediaType"].rpartition("+")[2]](packed)


def test_no_dockerfile_declares_a_proxy() -> None:
    """A declared argument would be in the image's history; the predefined ones are not."""
    files = list(Path("images").rglob("Dockerfile"))
    assert files
    for file in files:
        assert not [
            line
            for line in file.read_text().splitlines()
            if line.startswith(("ARG", "ENV")) and "proxy" in line.lower()
        ]
