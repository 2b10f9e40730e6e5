"""docs/values.md has every setting, as the schema and common.yaml have it now."""

import yaml
from airflow_kubernetes.environment import load
from airflow_kubernetes.settings.load import VALUES
from airflow_kubernetes.settings.schema import PodSettings
from airflow_kubernetes.settings.sections import sections

from tools.values import chart
from tools.values.__main__ import PAGE, page


def rows() -> dict[str, list[str]]:
    """The cells of each row that is about a setting, by its key."""
    text = page().partition("\n## Types")[0]
    lines = [line[2:-2].split(" | ") for line in text.splitlines() if line.startswith("| `")]
    return {cells[0].strip("`"): cells for cells in lines if len(cells) == 6}


def leaves(data: object, path: str = "") -> list[str]:
    """The dotted path of each value of a file."""
    if not isinstance(data, dict) or not data:
        return [path]
    inner = (leaves(value, f"{path}.{key}".lstrip(".")) for key, value in data.items())
    return [leaf for each in inner for leaf in each]


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run make values-doc and commit the page"


def test_every_line_of_common_is_on_the_page() -> None:
    common = yaml.safe_load((VALUES / "common.yaml").read_text(encoding="utf-8"))
    known = {key.replace("<name>", "default") for key in rows()}
    paths = [path for path in leaves(common) if path != "pods"]
    assert len(paths) > 100
    assert not [
        path
        for path in paths
        if not any(f"{path}.".startswith(f"{key}.") or key.startswith(f"{path}.") for key in known)
    ]


def test_every_setting_says_what_it_is_for() -> None:
    assert not [key for key, cells in rows().items() if not cells[4].strip()]


def test_every_section_of_pods_is_listed() -> None:
    found = {".".join(map(str, path)) for path, _ in sections(PodSettings, load("dev"))}
    assert {path.replace("<name>", "default") for path in chart.SECTIONS} == found
