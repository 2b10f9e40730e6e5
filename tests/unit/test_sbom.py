"""The bill of materials of an image."""

import json
from pathlib import Path

import pytest

from images.shared.sbom import bill, debian_packages, python_packages

STATUS = """\
Package: libc6
Status: install ok installed
Architecture: arm64
Version: 2.36-9

Package: gone
Status: deinstall ok config-files
Architecture: arm64
Version: 1

Package: libssl3
Status: install ok installed
Architecture: arm64
Version: 3.0.1
Description: a text
 over two lines
"""
UNPACKED = "Package: libssl3\nVersion: 1:3.0.2+b1\nArchitecture: arm64\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A file system with two Debian packages, one of them unpacked again, and one of Python."""
    for file, text in {
        "var/lib/dpkg/status": STATUS,
        "var/lib/dpkg/status.d/libssl3": UNPACKED,
        "usr/lib/os-release": 'VERSION_ID="12"\nID=debian\nHOME_URL="x"\n',
        "opt/venv/Zope.Interface-7.0.dist-info/METADATA": (
            "Metadata-Version: 2.1\nName: Zope.Interface\nVersion: 7.0\n\nName: text\n"
        ),
        "opt/venv/half-1.dist-info/METADATA": "",
    }.items():
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_debian_packages_are_the_bases_and_the_unpacked_ones(root: Path) -> None:
    assert {package.to_string() for package in debian_packages(root)} == {
        "pkg:deb/debian/libc6@2.36-9?arch=arm64&distro=debian-12",
        "pkg:deb/debian/libssl3@1:3.0.2%2Bb1?arch=arm64&distro=debian-12",
    }


def test_python_packages_have_their_normal_names(root: Path) -> None:
    assert [package.to_string() for package in python_packages(root)] == [
        "pkg:pypi/zope-interface@7.0"
    ]


def test_the_same_packages_give_the_same_bytes(root: Path) -> None:
    packages = [*python_packages(root), *debian_packages(root)]
    text = bill(packages, "airflow", "1", 86400)
    assert bill(packages[::-1] + packages, "airflow", "1", 86400) == text
    assert bill(packages[1:], "airflow", "1", 86400) != text
    document = json.loads(text)
    assert document["bomFormat"] == "CycloneDX"
    assert document["metadata"]["timestamp"] == "1970-01-02T00:00:00+00:00"
    assert document["metadata"]["component"]["name"] == "airflow"
    assert len(document["components"]) == 3


def test_an_image_without_packages_has_an_empty_bill(tmp_path: Path) -> None:
    assert not [*python_packages(tmp_path), *debian_packages(tmp_path)]
    assert "components" not in json.loads(bill([], "empty", "1", 0))
