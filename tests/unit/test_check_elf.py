"""The check of ELF files: machines and symbol versions, on files that are made here."""

import struct
import subprocess
import sys
from pathlib import Path

import pytest
from airflow_kubernetes.paths import ROOT

from images.shared.check_elf import Elf, Version, newest_of, problems, read_elf

SCRIPT = ROOT / "images" / "shared" / "check_elf.py"

AMD64, ARM64 = 62, 183
LIBC = [Version("libc.so.6", f"GLIBC_2.{minor}") for minor in (2, 9, 28)]


def header(machine: int, bits: int = 2, order: int = 1) -> bytes:
    """An ELF header without segments."""
    start = b"\x7fELF" + bytes([bits, order, 1]) + bytes(9)
    end = ">" if order == 2 else "<"
    return start + struct.pack(
        f"{end}HHIQQQIHHHHHH", 3, machine, 1, 0, 64, 0, 0, 64, 56, 0, 0, 0, 0
    )


def of(machine: int = ARM64, needed: tuple[Version, ...] = (), defined: object = ()) -> Elf:
    return Elf(machine, True, frozenset(needed), frozenset(defined))  # type: ignore[call-overload]


def test_what_is_no_elf_file_does_not_count() -> None:
    assert read_elf(b"#!/bin/sh\n") is None
    assert read_elf(b"") is None


@pytest.mark.parametrize("content", [b"\x7fELF", header(ARM64)[:19]])
def test_a_cut_off_file_is_an_error(content: bytes) -> None:
    with pytest.raises(ValueError, match="broken ELF file"):
        read_elf(content)


def test_machine_class_and_byte_order_are_read() -> None:
    assert read_elf(header(ARM64)) == Elf(ARM64, True)
    assert read_elf(header(AMD64, bits=1)) == Elf(AMD64, False)
    assert read_elf(header(ARM64, order=2)) == Elf(ARM64, False)


def test_versions_of_this_machines_own_libraries_are_read() -> None:
    library = Path(
        subprocess.check_output(["gcc", "-print-file-name=libc.so.6"], text=True).strip()
    )
    elf = read_elf(library.read_bytes())
    assert elf is not None
    assert Version("libc.so.6", "GLIBC_2.17") in elf.defined
    program = read_elf(Path("/bin/ls").read_bytes())
    assert program is not None
    assert any(version.library == "libc.so.6" for version in program.needed)
    assert not problems({"libc": elf, "ls": program}, "amd64")


def test_every_file_of_another_machine_is_named() -> None:
    files = {"/a": of(AMD64), "/b": of(ARM64), "/c": of(40), "/d": Elf(ARM64, False)}
    assert problems(files, "arm64") == [
        "/a is for amd64, but the image is for arm64",
        "/c is for arm, but the image is for arm64",
        "/d is for arm64, but the image is for arm64",
    ]


def test_a_newer_symbol_version_is_named_with_what_the_image_has() -> None:
    wanted = Version("libc.so.6", "GLIBC_2.38")
    files = {"/libc.so.6": of(defined=LIBC), "/new": of(needed=(wanted, LIBC[0]))}
    assert problems(files, "arm64") == [
        "/new needs GLIBC_2.38 of libc.so.6, which has GLIBC_2.28 at most"
    ]


def test_versions_compare_by_number() -> None:
    assert newest_of(Version("libc.so.6", "GLIBC_"), set(LIBC)) == "GLIBC_2.28"
    assert newest_of(Version("libc.so.6", "GLIBC_"), set(LIBC[:2])) == "GLIBC_2.9"
    assert newest_of(Version("libm.so.6", "GLIBC_"), set(LIBC)) == ""


def test_a_library_that_the_image_lacks_is_somebody_elses() -> None:
    files = {"/plugin": of(needed=(Version("libcuda.so.1", "CUDA_12"),))}
    assert not problems(files, "arm64")


def test_an_unknown_architecture_is_an_error() -> None:
    with pytest.raises(ValueError, match="none of amd64, arm64"):
        problems({}, "riscv64")


def test_the_command_names_the_file_and_fails(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "true").write_bytes(header(AMD64))
    (tmp_path / "link").symlink_to("bin/true")

    def run(architecture: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(SCRIPT), str(tmp_path), architecture]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    assert run("amd64").stdout.startswith("check_elf: 1 ELF files, all for amd64;")
    failed = run("arm64")
    assert failed.returncode == 1
    assert failed.stderr == "check_elf: /bin/true is for amd64, but the image is for arm64\n"
