"""`python -m airflow_kubernetes COMMAND …`: the commands, their arguments and their functions."""

import argparse
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from typing import Any

from ..errors import UserError
from .target import Target

Options = dict[str, Any]
"""Options of `argparse.ArgumentParser.add_argument`."""


def _text(metavar: str, text: str, **options: Any) -> Options:
    return {"metavar": metavar, "help": text, "default": "", **options}


def _flag(text: str) -> Options:
    return {"help": text, "action": "store_true"}


def _days(text: str) -> int:
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of days, such as 90")
    return int(text)


ARGUMENTS = {
    "target": _text("ENVIRONMENT", "as in values/ENVIRONMENT.yaml"),
    "environment": _text("ENVIRONMENT", "by default all; preview requires it or --base", nargs="?"),
    "names": _text("ENVIRONMENT", "two of them; by default all pairs", nargs="*", default=[]),
    "name": _text("NAME", "of the new environment"),
    "image": _text("NAME", "the task image images/tasks/NAME"),
    "dag": _text("DAG", "the id of a DAG in dags/"),
    "--set": _text(
        "'KEY=VALUE …'",
        "override values for this command, as in 'airflow.parallelism=64'",
        dest="overrides",
    ),
    "--yes": _flag("do not ask; never asked of the sandbox"),
    "--base": _text(
        "COMMIT", "report what this checkout changes since COMMIT, branch or tag, without a cluster"
    ),
    "--report": _text("FOLDER", "also write the report to FOLDER"),
    "--live": _flag("the report includes clusters"),
    "--once": _flag("one run for each Airflow image, and none while Airflow is stopped"),
    "--from": _text("NAME", "the backup to load, or the environment to copy", dest="source"),
    "--into": _text(
        "DATABASE",
        "an empty database, which is created if need be; by default the environment's own, while "
        "Airflow is stopped",
    ),
    "--to": _text("ENVIRONMENT", "the one whose registry gets the images"),
    "--keep": _text("DAYS", "how far back locks count (90)", type=_days, default=90),
    "--apply": _flag("delete; without it, only list"),
    "--delete": _text("'NAME …'", "delete these backups instead of listing all"),
    "--prices": _text("FILE", "the price of an hour by instance type, as in 'm6i.xlarge: 0.192'"),
    "--days": _text("DAYS", "how far to look back (7)", type=_days, default=7),
    "chart_values": _text("FILE", "a values file of the official chart"),
    "--args": _text("'ARGUMENTS'", "for the container, quoted as in a shell"),
}

COMMANDS = {
    "up": ("up.up", "build, deploy and wait; print the address", "target"),
    "dags": ("dags.dags", "deploy changed DAGs alone", "target"),
    "down": ("down.down", "remove what runs; keep data and passwords", "target --yes"),
    "preview": ("preview.preview_or_report", "show what `up` would change, or report what a branch "
                "changes", "environment --set --base --report --live"),
    "status": ("status.status", "show what runs, and the address", "target"),
    "render": ("render.render", "print every Kubernetes object as YAML, without a cluster",
               "target"),
    "images": ("build.images", "build and push the images, write the lock", "target"),
    "password": ("status.print_password", "print the first user's password", "target"),
    "smoke": ("smoke.run", "run the smoke DAG through the REST API", "target --once"),
    "upgrade": ("upgrade.upgrade", "change the Airflow release: stop, back up, migrate, start",
                "target"),
    "backup": ("backup.backup", "dump the metadata database to the volume of backups", "target"),
    "backups": ("backup.backups", "list the backups, or delete some", "target --delete"),
    "restore": ("restore.restore", "load a backup into the database", "target --from --into"),
    "adopt": ("adopt.adopt", "move an environment of the kubectl engine under Pulumi", "target"),
    "drift": ("drift.drift", "compare the cluster with the program", "target"),
    "policies": ("policies.policies", "check every object against the policies",
                 "environment --set"),
    "capacity": ("capacity.capacity", "say what fits the cluster's nodes, what waits, and what the "
                 "peak costs in nodes", "target --prices"),
    "usage": ("usage.usage", "say how tasks used slots and requests, and which requests to correct",
              "target --days"),
    "check": ("check.check", "check the values of every environment, and their parity",
              "environment"),
    "parity": ("parity.parity", "explain the differences between environments", "names"),
    "env": ("env.env", "make a new environment from another one", "name --from"),
    "from-chart": ("from_chart.from_chart", "print the values of the official chart as this "
                   "program's", "chart_values"),
    "promote": ("promote.promote", "copy images into another environment's registry",
                "target --to"),
    "prune": ("prune.prune", "delete images from the registry that no lock names",
              "target --keep --apply"),
    "task": ("task.task", "run a task image on this machine and print its XCom",
             "target image --args"),
    "check-dags": ("check_dags.check_dags", "read all DAGs in their image, and say what is wrong",
                   "target"),
    "test-dag": ("check_dags.test_dag", "run one DAG in its image, and print its log",
                 "target dag"),
    "local-up": ("local.local_up", "run all of Airflow on this machine with Docker Compose",
                 "target"),
    "local-down": ("local.local_down", "stop that; keep its data and passwords", ""),
}  # fmt: skip
"""By name: `module.function` of this package, what it does, and its ARGUMENTS.

A function gets its arguments by name, and as `target` the environment's Target.
"""

EXCLUSIVE = ("up", "dags", "down", "upgrade", "adopt", "backup", "restore")
"""Commands that are refused while another one of them works on the same environment."""

READ_ONLY = ("render", "drift", "capacity", "usage", "task", "local-up")
"""Commands on a target that change nothing in it, so that every environment accepts `--set`."""


def main(words: Sequence[str] | None = None) -> int:
    """Run one command, by default that of sys.argv; returns the exit code.

    0 if it succeeded; else 1, with the reason on standard error, or 130 after Ctrl-C or SIGTERM.
    """
    arguments = vars(parse(sys.argv[1:] if words is None else words))
    name = arguments.pop("command")
    try:
        if "target" in arguments:
            environment, overrides = arguments["target"], arguments.pop("overrides")
            read_only = name in READ_ONLY
            arguments["target"] = Target.load(environment, overrides, read_only=read_only)
        with _alone(name, arguments):
            function_of(name)(**arguments)
    except UserError as error:
        from ..report.redaction import without_logins  # takes time that only errors need

        print(f"error: {without_logins(str(error))}", file=sys.stderr)
        return 1
    except KeyboardInterrupt as interrupt:
        remedy = str(interrupt) or "run the command again to continue"
        print(f"\ninterrupted: {remedy}", file=sys.stderr)
        return 130
    return 0


def _alone(name: str, arguments: dict[str, Any]) -> AbstractContextManager[None]:
    """What keeps other commands, and other environments in the same place, away meanwhile."""
    if name not in EXCLUSIVE:
        return nullcontext()
    from . import exclusive, shared_locations  # like the commands' modules: that takes time

    target = arguments["target"]
    shared_locations.refuse(target)
    return exclusive.exclusive(target, name)


def parse(words: Sequence[str]) -> argparse.Namespace:
    """The name of the `command`, and its arguments; `--set` is an argument of every target."""
    parser = argparse.ArgumentParser(
        prog="airflow_kubernetes",
        description="Airflow on Kubernetes. `make help` lists the same commands with the variables "
        "that make passes as these options.",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, (_, summary, arguments) in COMMANDS.items():
        description = f"{summary[0].upper()}{summary[1:]}."
        command = commands.add_parser(
            name, help=summary, description=description, allow_abbrev=False
        )
        for argument in arguments.replace("target", "target --set").split():
            command.add_argument(argument, **ARGUMENTS[argument])
    return parser.parse_args(words)


def function_of(name: str) -> Callable[..., None]:
    """The function of a command. Other commands' modules are not imported: that takes time."""
    module, _, function = COMMANDS[name][0].partition(".")
    found: Callable[..., None] = getattr(import_module(f".{module}", __package__), function)
    return found
