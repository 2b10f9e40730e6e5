"""MySQL's release series: where it is read from, and what a change of it means for the data."""

from airflow_kubernetes.database.series import Series, obstacle, series, series_of_image


def test_a_series_is_read_from_versions_and_tags() -> None:
    cases: dict[str, Series | None] = {
        "8.4.6-1.el9": (8, 4),
        "8.4": (8, 4),
        "9.7.0-0debian1": (9, 7),
        "v8.0-oracle": (8, 0),
        "10.1": (10, 1),
        "8": None,
        "lts": None,
        "1.0": None,  # a version of somebody's image
        "2026.11": None,
        "8.404": None,
    }
    for version, expected in cases.items():
        assert series(version) == expected, version


def test_an_images_own_variables_take_precedence_over_its_tag() -> None:
    assert series_of_image("8.4", {"MYSQL_VERSION": "9.1.0-1.el9", "MYSQL_MAJOR": "8.0"}) == (9, 1)
    assert series_of_image(None, {"MYSQL_MAJOR": "innovation", "MYSQL_VERSION": "9.1.0"}) == (9, 1)
    assert series_of_image("8.4", {"PATH": "/bin"}) == (8, 4)
    assert series_of_image("latest", {}) is None
    assert series_of_image(None, {}) is None


def test_data_is_read_by_its_own_series_and_newer_ones() -> None:
    assert not obstacle((8, 4), (8, 4))
    assert not obstacle((8, 4), (9, 7))
    assert not obstacle((8, 0), (8, 4))
    assert not obstacle((8, 4), None)
    assert obstacle((9, 7), (8, 4)) == "MySQL 8.4 cannot read data of MySQL 9.7"
    assert obstacle((8, 4), (8, 0)) == "MySQL 8.0 cannot read data of MySQL 8.4"
    assert obstacle((8, 0), (9, 7)) == "MySQL 8.0 is upgraded to 8.4 first, and from there to 9.7"
