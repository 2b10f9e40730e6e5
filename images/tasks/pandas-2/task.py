"""Days whose turnover is far from the usual, by pandas 2 and NumPy 2.

`Series.case_when` came with pandas 2.2, `numpy.trapezoid` with NumPy 2.0.

    task.py --totals '{"2026-01-01": 123.5, …}'

XCom: {"pandas": version, "numpy": version, "labels": {"2026-01-01": "usual", …}, "area": 1234.5}; a
label is high, low or usual.
"""

import argparse
import json
from pathlib import Path

import numpy
import pandas

XCOM = Path("/airflow/xcom/return.json")
FAR = 5.0  # median absolute deviations


def labels(totals: pandas.Series) -> dict[str, str]:
    """high, low or usual for each day."""
    median = totals.median()
    distance = (totals - median) / (totals - median).abs().median()
    usual = pandas.Series("usual", index=totals.index)
    return usual.case_when([(distance > FAR, "high"), (distance < -FAR, "low")]).to_dict()


def main() -> None:
    """Write the labels to the XCom file."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--totals", type=json.loads, required=True)
    totals = pandas.Series(parser.parse_args().totals, dtype=float)
    found = labels(totals)
    print(f"pandas {pandas.__version__}, numpy {numpy.__version__}: {found}")
    result = {
        "pandas": pandas.__version__,
        "numpy": numpy.__version__,
        "labels": found,
        "area": float(numpy.trapezoid(totals.to_numpy())),
    }
    XCOM.write_text(json.dumps(result))


if __name__ == "__main__":
    main()
