"""Schedules: accepted if, and only if, Kubernetes runs them as they are written."""

import pytest
from airflow_kubernetes.settings import cron


@pytest.mark.parametrize(
    "text",
    ["0 2 * * *", "*/30 * * * 1-5", "0 0,12 1 */2 *", "59 23 31 12 6", "5 4 * jan-mar SUN",
     "10-30/5 * * * *", "5/15 * * * *", "? 2 ? * ?", "05 02 * Jan-3 mon", " 0  2 * * * ",
     "30-30 * * * *", "*/90 * * * *", "@hourly", "@daily", "@midnight", "@annually"],
)  # fmt: skip
def test_schedules_that_kubernetes_accepts(text: str) -> None:
    assert cron.problem(text) is None


@pytest.mark.parametrize(
    "text",
    ["", "daily", "0 2 * *", "0 2 * * * *", "60 2 * * *", "0 24 * * *", "0 2 0 * *",
     "0 2 32 * *", "0 2 * 13 *", "0 2 * * 7", "*/0 * * * *", "1- * * * *", ", * * * *",
     "30-10 * * * *", "0 2 * * 5-1", "0 2 * dec-jan *", "0 2 * * mon-sun", "0 2 * * 6-7",
     "0-60 2 * * *", "1-2-3 * * * *", "*/2/3 * * * *", "* * * mon *", "0 0mon * * *", "-1 * * * *",
     "*/x * * * *", "1_0 * * * *", "٣ * * * *", "9" * 5000 + " * * * *", "@Daily", "@daily ",
     "@reboot", "TZ=UTC 0 2 * * *"],
)  # fmt: skip
def test_schedules_that_kubernetes_refuses(text: str) -> None:
    assert cron.problem(text) is not None


@pytest.mark.parametrize("text", ["0 0 31 2 *", "0 0 30 feb ?", "0 0 31 4,6 *", "0 0 31 2 */1"])
def test_schedules_that_never_come_are_refused(text: str) -> None:
    assert "none of its months has such a day" in str(cron.problem(text))


@pytest.mark.parametrize("text", ["0 0 29 2 *", "0 0 31 2 1", "0 0 31 2 */2", "0 0 31,1 2 *"])
def test_schedules_that_come_seldom_are_accepted(text: str) -> None:
    assert cron.problem(text) is None


def test_the_wrong_field_is_named() -> None:
    assert "'5-1' is no minute (0 to 59; a range goes upwards" in str(cron.problem("5-1 * * * *"))
    assert "'dec-jan' is no month (1 to 12 or jan to dec" in str(cron.problem("* * * dec-jan *"))


@pytest.mark.parametrize("text", ["1,,2 * * * *", "*-5 * * * *", "+5 * * * *", "@every 1h"])
def test_schedules_of_which_kubernetes_would_ignore_a_part_are_refused(text: str) -> None:
    assert cron.problem(text) is not None
