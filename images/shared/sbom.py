"""Write an image's bill of materials: CycloneDX 1.6 JSON of its Python and Debian packages.

Run at the end of an image's build, with the image mounted, by a Python that has
cyclonedx-python-lib: ``python sbom.py /image <name> <version> /usr/share/sbom/sbom.cdx.json``.

The same packages give the same bytes: components are sorted, the serial number is derived from
them, and the time is SOURCE_DATE_EPOCH (seconds; 0 if unset). Component names are package URLs
(github.com/package-url/purl-spec, types "pypi" and "deb").
"""

import json
import os
import re
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime, timezone
from email.parser import HeaderParser
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL


def python_packages(root: Path) -> Iterator[PackageURL]:
    """The distributions in a file system: every *.dist-info with name and version."""
    for metadata in root.glob("**/*.dist-info/METADATA"):
        with metadata.open(encoding="utf-8", errors="replace") as file:
            headers = HeaderParser().parse(file)
        if headers["Name"] and headers["Version"]:
            name = re.sub(r"[-_.]+", "-", headers["Name"]).lower()  # PEP 503
            yield PackageURL("pypi", name=name, version=headers["Version"])


def debian_packages(root: Path) -> Iterator[PackageURL]:
    """What dpkg has installed, and what was unpacked next to it, which has a file in status.d.

    A package of status.d hides the base's older one of the same name.
    """
    base = root / "var/lib/dpkg"
    found = {}
    for file in (base / "status", *sorted(base.glob("status.d/*"))):
        for paragraph in file.read_text("utf-8").split("\n\n") if file.is_file() else ():
            fields = HeaderParser().parsestr(paragraph.strip())
            installed = (fields["Status"] or "installed").endswith(" installed")
            if fields["Package"] and (installed or file.parent != base):
                found[fields["Package"], fields["Architecture"]] = fields["Version"]
    release = distribution(root)
    for (name, architecture), version in found.items():
        qualifiers = {"arch": architecture, "distro": release}
        yield PackageURL("deb", "debian", name, version, qualifiers)


def distribution(root: Path) -> str:
    """`debian-12`, of /etc/os-release or its original in /usr/lib; empty if there is none."""
    file = root / "usr/lib/os-release"
    text = file.read_text("utf-8") if file.is_file() else ""
    values = dict(re.findall(r'^(ID|VERSION_ID)="?([^"\n]*)"?$', text, re.MULTILINE))
    return "-".join(values[key] for key in ("ID", "VERSION_ID") if key in values)


def bill(packages: Iterable[PackageURL], name: str, version: str, epoch: int) -> str:
    """The document: JSON of `packages` as libraries of the container `name`, sorted.

    `epoch` is the document's time in seconds of Unix time.
    """
    urls = {package.to_string(): package for package in packages}
    bom = Bom(
        components=[
            Component(
                type=ComponentType.LIBRARY,
                name=package.name,
                version=package.version,
                purl=package,
                bom_ref=url,
            )
            for url, package in sorted(urls.items())
        ],
        serial_number=uuid5(NAMESPACE_URL, "\n".join([name, version, *sorted(urls)])),
    )
    bom.metadata.timestamp = datetime.fromtimestamp(epoch, timezone.utc)  # noqa: UP017 (3.10)
    bom.metadata.component = Component(
        type=ComponentType.CONTAINER, name=name, version=version, bom_ref=name
    )
    bom.register_dependency(bom.metadata.component, bom.components)
    document = json.loads(JsonV1Dot6(bom).output_as_string())
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


def main() -> None:
    """Write the file and print a line of summary."""
    if len(sys.argv) != 5:
        raise SystemExit("usage: sbom.py FOLDER NAME VERSION FILE")
    root, name, version, target = Path(sys.argv[1]), sys.argv[2], sys.argv[3], Path(sys.argv[4])
    packages = [*python_packages(root), *debian_packages(root)]
    kinds = [package.type for package in packages]
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH") or 0)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(bill(packages, name, version, epoch), encoding="utf-8")
    print(f"sbom: {kinds.count('pypi')} Python and {kinds.count('deb')} Debian packages")


if __name__ == "__main__":
    main()
