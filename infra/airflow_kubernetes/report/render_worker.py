"""A script that renders several environments of the checkout in which it is run.

    python -P forked.py FOLDER ENVIRONMENT…

Each environment is a run of `bundle render`, the command whose form is the same in all commits, in
a fork of its own: what takes most of its time, importing the program and Pulumi's SDK, is done
once. Leaves <environment>.out, .err and .code in FOLDER.
"""

import os
import sys
import traceback
from pathlib import Path

import airflow_kubernetes.cli.render  # noqa: F401 (once, before the forks)
from airflow_kubernetes.cli.main import main


def render(environment: str, folder: Path) -> None:
    """One environment, in a process of its own; returns when that has ended."""
    child = os.fork()
    if child == 0:
        _run(environment, folder)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    (folder / f"{environment}.code").write_text(str(code), encoding="utf-8")


def _run(environment: str, folder: Path) -> None:
    """The command, as `python -m airflow_kubernetes` would run it. Does not return."""
    code = 1
    try:
        for number, name in ((1, "out"), (2, "err")):
            file = os.open(folder / f"{environment}.{name}", os.O_WRONLY | os.O_CREAT, 0o600)
            os.dup2(file, number)
        sys.argv = ["airflow_kubernetes", "render", environment]
        code = main()
    except BaseException:  # the parent's work is not this process's
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    outputs, wanted = Path(sys.argv[1]), sys.argv[2:]
    for one in wanted:
        render(one, outputs)
