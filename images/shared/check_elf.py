"""Check that every program and library of a file system can run on its architecture and base.

Run at the end of an image's build, with the image mounted: ``python check_elf.py /image arm64``.
Two mistakes are found that show at run time otherwise: a file for another machine ("exec format
error"), and a file that was linked against a newer library than the image has ("version
`GLIBC_2.38' not found"). A symbol version counts as there if any library of the image with the
wanted name defines it.

Only the standard library is used. Format: the System V ABI (ELF-64 object file) and "Symbol
Versioning" of the Linux Standard Base core specification.
"""

import os
import re
import stat
import struct
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

MACHINES = {"amd64": 62, "arm64": 183}
"""e_machine (EM_X86_64, EM_AARCH64) by the name that Docker and Debian use."""

NAMES = {3: "386", 40: "arm", **{number: name for name, number in MACHINES.items()}}

CLASS_64 = 2
LITTLE_ENDIAN = 1
PT_LOAD, PT_DYNAMIC = 1, 2
DT_NULL, DT_STRTAB, DT_SONAME = 0, 5, 14
DT_VERDEF, DT_VERDEFNUM = 0x6FFFFFFC, 0x6FFFFFFD
DT_VERNEED, DT_VERNEEDNUM = 0x6FFFFFFE, 0x6FFFFFFF
WEAK = 2  # VER_FLG_WEAK: the loader does not insist


class Version(NamedTuple):
    """A symbol version of a library: `libc.so.6` and `GLIBC_2.28`."""

    library: str
    name: str


@dataclass(frozen=True)
class Elf:
    """What is read of one file. Of another class than 64-bit, or another byte order, only that."""

    machine: int
    native: bool
    needed: frozenset[Version] = frozenset()
    defined: frozenset[Version] = frozenset()


def read_elf(content: bytes) -> Elf | None:
    """Read an ELF file; None if it is none. Raises ValueError if it is cut off or broken."""
    if content[:4] != b"\x7fELF":
        return None
    try:
        big = content[5] != LITTLE_ENDIAN
        (machine,) = struct.unpack_from(">H" if big else "<H", content, 18)
        if content[4] != CLASS_64 or big:
            return Elf(machine, native=False)
        segments = _segments(content)
        dynamic = _dynamic(content, segments)
        if DT_STRTAB not in dynamic:
            return Elf(machine, native=True)
        names = _offset(segments, dynamic[DT_STRTAB])
        needed = frozenset(_needed(content, segments, dynamic, names))
        defined = frozenset(_defined(content, segments, dynamic, names))
    except (struct.error, IndexError) as error:
        raise ValueError(f"broken ELF file: {error}") from None
    return Elf(machine, True, needed, defined)


def read_tree(root: Path) -> Iterator[tuple[str, Elf]]:
    """Each ELF file below a folder: its path there, and what is in it. Links are not followed.

    Raises ValueError with the file's path if one is broken.
    """
    for folder, folders, files in os.walk(root):
        folders.sort()
        for name in sorted(files):
            path = Path(folder, name)
            if not stat.S_ISREG(path.lstat().st_mode):
                continue
            with path.open("rb") as file:
                if file.read(4) != b"\x7fELF":
                    continue
                file.seek(0)
                shown = f"/{path.relative_to(root)}"
                try:
                    elf = read_elf(file.read())
                except ValueError as error:
                    raise ValueError(f"{shown}: {error}") from None
            if elf:
                yield shown, elf


def problems(files: dict[str, Elf], architecture: str) -> list[str]:
    """One line for each file of another machine, and for each symbol version that is missing.

    Raises ValueError for an unknown architecture.
    """
    machine = MACHINES.get(architecture)
    if machine is None:
        raise ValueError(f"architecture {architecture!r} is none of {', '.join(MACHINES)}")
    found = []
    defined = {version for elf in files.values() for version in elf.defined}
    libraries = {version.library for version in defined}
    for path, elf in files.items():
        if elf.machine != machine or not elf.native:
            name = NAMES.get(elf.machine, f"machine {elf.machine}")
            found.append(f"{path} is for {name}, but the image is for {architecture}")
            continue
        for version in sorted(elf.needed - defined):
            if version.library in libraries:  # some are loaded at run time, from elsewhere
                newest = newest_of(version, defined)
                found.append(
                    f"{path} needs {version.name} of {version.library}"
                    + (f", which has {newest} at most" if newest else ", which lacks it")
                )
    return found


def newest_of(wanted: Version, versions: set[Version]) -> str:
    """The newest version of the same library and family (`GLIBC`); empty if there is none."""
    family = wanted.name.partition("_")[0]
    alike = [
        one.name
        for one in versions
        if one.library == wanted.library and re.fullmatch(rf"{family}_[0-9.]+", one.name)
    ]
    return max(alike, key=_numbers, default="")


def _numbers(name: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", name))


def _segments(content: bytes) -> list[tuple[int, int, int, int]]:
    """Type, offset in the file, address and size of each program header."""
    (offset,) = struct.unpack_from("<Q", content, 32)
    size, count = struct.unpack_from("<HH", content, 54)
    found = []
    for index in range(count):
        kind, _, start, address, _, length = struct.unpack_from(
            "<IIQQQQ", content, offset + index * size
        )
        found.append((kind, start, address, length))
    return found


def _offset(segments: list[tuple[int, int, int, int]], address: int) -> int:
    for kind, start, first, length in segments:
        if kind == PT_LOAD and first <= address < first + length:
            return start + address - first
    raise IndexError(f"no segment holds address {address:#x}")


def _dynamic(content: bytes, segments: list[tuple[int, int, int, int]]) -> dict[int, int]:
    for kind, start, _, length in segments:
        if kind == PT_DYNAMIC:
            found = {}
            for tag, value in struct.iter_unpack("<qQ", content[start : start + length // 16 * 16]):
                if tag == DT_NULL:
                    break
                found[tag] = value
            return found
    return {}


def _text(content: bytes, start: int) -> str:
    return content[start : content.index(b"\0", start)].decode(errors="replace")


def _needed(
    content: bytes, segments: list[tuple[int, int, int, int]], dynamic: dict[int, int], names: int
) -> Iterator[Version]:
    if DT_VERNEED not in dynamic:
        return
    entry = _offset(segments, dynamic[DT_VERNEED])
    for _ in range(dynamic[DT_VERNEEDNUM]):
        _, count, library, first, following = struct.unpack_from("<HHIII", content, entry)
        auxiliary = entry + first
        for _ in range(count):
            _, flags, _, name, step = struct.unpack_from("<IHHII", content, auxiliary)
            if not flags & WEAK:
                yield Version(_text(content, names + library), _text(content, names + name))
            auxiliary += step
        entry += following


def _defined(
    content: bytes, segments: list[tuple[int, int, int, int]], dynamic: dict[int, int], names: int
) -> Iterator[Version]:
    if DT_VERDEF not in dynamic or DT_SONAME not in dynamic:
        return
    library = _text(content, names + dynamic[DT_SONAME])
    entry = _offset(segments, dynamic[DT_VERDEF])
    for _ in range(dynamic[DT_VERDEFNUM]):
        _, _, _, _, _, first, following = struct.unpack_from("<HHHHIII", content, entry)
        (name,) = struct.unpack_from("<I", content, entry + first)
        yield Version(library, _text(content, names + name))
        entry += following


def main() -> None:
    """Check the file system; a line for each problem and exit code 1, or one line of summary."""
    if len(sys.argv) != 3:
        raise SystemExit("usage: check_elf.py FOLDER amd64|arm64")
    root, architecture = Path(sys.argv[1]), sys.argv[2]
    started = time.monotonic()
    try:
        files = dict(read_tree(root))
        found = problems(files, architecture)
    except ValueError as error:
        raise SystemExit(f"check_elf: {error}") from None
    if found:
        raise SystemExit("\n".join(f"check_elf: {line}" for line in found))
    libc = Version("libc.so.6", "GLIBC_")
    needed = {version for elf in files.values() for version in elf.needed}
    defined = {version for elf in files.values() for version in elf.defined}
    print(
        f"check_elf: {len(files)} ELF files, all for {architecture};"
        f" {newest_of(libc, needed) or 'no GLIBC'} needed at most,"
        f" {newest_of(libc, defined) or 'none'} there ({time.monotonic() - started:.1f} s)"
    )


if __name__ == "__main__":
    main()
