"""`make from-chart`: the values of the official Airflow Helm chart as those of this program."""

from pathlib import Path

from ..chart.convert import convert
from ..console import say
from ..errors import CommandError
from ..settings import document


def from_chart(chart_values: str) -> None:
    """Print values for values/common.yaml, and on standard error a line for each of the chart's
    keys that has another form here, or none. Raises CommandError, and SettingsError for a file
    that cannot be read.
    """
    if not chart_values:
        raise CommandError("VALUES= names no file; for example make from-chart VALUES=values.yaml")
    values, notes = convert(document.read(Path(chart_values), chart_values))
    for note in notes:
        say(f"{chart_values}:{note}")
    print(document.dump(values), end="")
