"""MySQL's release series, such as 8.4, and what a change of the image's series means for the data.

A newer server upgrades the data directory at its first start, and an older one cannot read it any
more: https://dev.mysql.com/doc/refman/8.4/en/downgrading.html. From 8.0 the next series is 8.4:
https://dev.mysql.com/doc/refman/8.4/en/upgrade-paths.html.
"""

import re
from collections.abc import Mapping

Series = tuple[int, int]
"""Major and minor: the 8.4 of 8.4.6."""

VARIABLES = ("MYSQL_VERSION", "MYSQL_MAJOR")
"""What the official image has in its environment, such as 8.4.6-1.el9 and 8.4."""


def series(version: str) -> Series | None:
    """The series of a version or an image's tag: (8, 4) of "8.4.6-1.el9"; None of other text."""
    found = re.match(r"v?(\d{1,2})\.(\d{1,2})(?!\d)", version)
    if found is None or int(found[1]) < 5:
        return None
    return int(found[1]), int(found[2])


def series_of_image(tag: str | None, environment: Mapping[str, str]) -> Series | None:
    """The series of MySQL in an image; the tag counts only if no variable has it."""
    texts = (*(environment.get(name, "") for name in VARIABLES), tag or "")
    return next(filter(None, map(series, texts)), None)


def obstacle(held: Series, wanted: Series | None) -> str:
    """Why a server of the series `wanted` cannot read data of the series `held`; or nothing."""
    if wanted is None or wanted == held:
        return ""
    if wanted < held:
        return f"MySQL {text(wanted)} cannot read data of MySQL {text(held)}"
    if held < (8, 4) < wanted:
        return f"MySQL {text(held)} is upgraded to 8.4 first, and from there to {text(wanted)}"
    return ""


def text(found: Series) -> str:
    """As it is written: "8.4"."""
    return ".".join(map(str, found))
