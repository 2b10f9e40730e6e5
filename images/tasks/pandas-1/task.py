"""Daily totals of the orders in orders.csv, by code that was never moved to pandas 2.

`DataFrame.append` and `Series.iteritems` went with pandas 2.0, and pandas 1.5 cannot be imported
with NumPy 2.

    task.py --days 14

XCom: {"pandas": version, "numpy": version, "totals": {"2026-01-01": 123.5, …}}, the last days first
to last, in the orders' currency.
"""

import argparse
import json
import warnings
from pathlib import Path

import numpy
import pandas

ORDERS = Path(__file__).parent / "orders.csv"
XCOM = Path("/airflow/xcom/return.json")


def totals(orders: pandas.DataFrame, days: int) -> dict[str, float]:
    """Turnover by day, of the last days that have orders."""
    by_day = pandas.DataFrame(columns=["day", "turnover"])
    for day, rows in orders.groupby("day"):
        turnover = float((rows["quantity"] * rows["price"]).sum())
        by_day = by_day.append({"day": day, "turnover": turnover}, ignore_index=True)
    last = by_day.sort_values("day").set_index("day")["turnover"].tail(days)
    return {day: round(turnover, 2) for day, turnover in last.iteritems()}


def main() -> None:
    """Write the totals to the XCom file."""
    warnings.simplefilter("ignore", FutureWarning)  # that pandas 2 will have no `append`
    parser = argparse.ArgumentParser()
    parser.add_argument("--days", type=int, default=14)
    found = totals(pandas.read_csv(ORDERS), parser.parse_args().days)
    print(f"pandas {pandas.__version__}, numpy {numpy.__version__}: {len(found)} days")
    result = {"pandas": pandas.__version__, "numpy": numpy.__version__, "totals": found}
    XCOM.write_text(json.dumps(result))


if __name__ == "__main__":
    main()
