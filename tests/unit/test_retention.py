"""Which backups stay: functions of the scripts in the database image, on a folder."""

import os
import subprocess
from pathlib import Path

import pytest
from airflow_kubernetes.database.backup import KINDS, SCRIPTS


class Volume:
    """A folder in the place of /backups."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, name: str, number: int | None = None, size: int = 1) -> None:
        """A complete backup; without a number it has no line with one."""
        (self.folder / name).mkdir()
        number_line = "" if number is None else f"number\t{number}\n"
        (self.folder / name / "manifest").write_text(f"{number_line}bytes\t{size}\n")

    def run(self, commands: str, keep: int = 2) -> str:
        """What the commands print, after database.sh."""
        text = (SCRIPTS / "database.sh").read_text().replace("/backups", str(self.folder))
        login = dict.fromkeys(("DATABASE_HOST", "DATABASE_PORT", "DATABASE_USER"), "x")
        done = subprocess.run(
            ["bash", "-c", f"set -euo pipefail\n{text}\n{commands}"],
            env={**os.environ, **login, "DATABASE_PASSWORD": "x", "KEEP": str(keep)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=True,
        )
        return done.stdout

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())


@pytest.fixture
def volume(tmp_path: Path) -> Volume:
    return Volume(tmp_path)


def test_the_order_is_that_in_which_they_were_taken(volume: Volume) -> None:
    """A clock that went back by a year, and one that went ahead by another."""
    volume.add("20260102T000000Z-scheduled", 1)
    volume.add("20270101T000000Z-manual", 2)
    volume.add("20250101T000000Z-scheduled", 3)
    volume.add("20240101T000000Z-manual.partial", 4)
    assert volume.run("in_order").split() == [
        "20260102T000000Z-scheduled",
        "20270101T000000Z-manual",
        "20250101T000000Z-scheduled",
    ]
    assert volume.run("in_order manual").split() == ["20270101T000000Z-manual"]


def test_the_newest_of_each_kind_stay_whatever_their_names_say(volume: Volume) -> None:
    for kind in KINDS:
        for number in range(1, 15):
            volume.add(f"2027{number:02}01T000000Z-{kind}", number)
        volume.add(f"20260101T000000Z-{kind}", 15)  # taken last, by a clock a year behind
    output = volume.run("retain scheduled", keep=14)
    assert output == ("deleted 20270101T000000Z-scheduled: 14 newer scheduled backups are kept\n")
    assert len(volume.names()) == len(KINDS) * 15 - 1
    for kind in KINDS:
        volume.run(f"retain {kind}", keep=1)
    assert volume.names() == sorted(f"20260101T000000Z-{kind}" for kind in KINDS)


def test_what_is_restored_stays(volume: Volume) -> None:
    for number in (1, 2, 3):
        volume.add(f"2026010{number}T000000Z-before-restore", number)
    volume.run("retain before-restore 20260101T000000Z-before-restore", keep=1)
    assert volume.names() == ["20260101T000000Z-before-restore", "20260103T000000Z-before-restore"]


def test_fewer_than_are_kept_all_stay(volume: Volume) -> None:
    assert volume.run("retain manual; in_order") == ""
    volume.add("20260101T000000Z-manual")
    assert volume.run("retain manual", keep=1) == ""
    assert volume.names() == ["20260101T000000Z-manual"]


def test_a_volume_without_space_for_another_backup_is_told_with_the_remedy(
    volume: Volume,
) -> None:
    assert volume.run("too_little_space") == ""
    volume.add("20260101T000000Z-manual", 1, size=2**60)
    volume.add("20260102T000000Z-manual", 2, size=1)
    assert volume.run("too_little_space") == ""
    volume.add("20260103T000000Z-manual", 3, size=2**60)
    said = volume.run("too_little_space")
    assert said.startswith("the last backup took 1.0EiB and the volume has ")
    for remedy in ("database.backup.claim.size", "database.backup.keep", "make backups DELETE="):
        assert remedy in said
