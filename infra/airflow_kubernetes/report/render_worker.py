"""Render environments of this checkout, as one side of a report.

    python -P -m airflow_kubernetes.report.render_worker ENVIRONMENT…

A report of a later commit runs the worker of the earlier one, so this command and what it prints
stay the same: JSON that has, for each environment, `objects` and `warnings`, or `error`.
"""

import io
import json
import sys
import traceback
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

from ..environment import load
from ..errors import UserError
from ..render import objects
from ..rules import warnings


def render(environment: str) -> dict[str, Any]:
    """The result for one environment."""
    printed = io.StringIO()
    try:
        with redirect_stdout(printed), redirect_stderr(printed):
            for warning in warnings(load(environment)):
                print(f"warning: {warning}")
            found = objects(environment)
    except UserError as error:
        return {"error": str(error)}
    except (Exception, SystemExit):
        return {"error": traceback.format_exc(limit=-5)}
    return {"objects": found, "warnings": [*dict.fromkeys(printed.getvalue().splitlines())]}


if __name__ == "__main__":
    json.dump({name: render(name) for name in sys.argv[1:]}, sys.stdout, ensure_ascii=False)
