"""`python -m airflow_kubernetes COMMAND …`: each command is the module of this package of its name.

Such a module has `add_arguments(parser)` and `run(arguments)`.
"""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from ..errors import UserError

COMMANDS = {
    "up": "build, deploy and wait; print the address",
    "down": "remove what runs; keep data and passwords",
    "preview": "show what `up` would change, or report what a branch changes",
    "status": "show what runs, and the address",
    "render": "print every Kubernetes object as YAML, without a cluster",
    "images": "build and push the images, write the lock",
    "password": "print the first user's password",
    "smoke": "run the smoke DAG through the REST API",
    "upgrade": "change the Airflow release: stop, back up, migrate, start",
    "backup": "dump the metadata database to the volume of backups",
    "backups": "list the backups",
    "restore": "load a backup into the database",
    "drift": "compare the cluster with the program",
    "policies": "check every object against the policies",
    "check": "check the values of every environment, and their parity",
    "parity": "explain the differences between environments",
    "env": "make a new environment from another one",
    "promote": "copy images into another environment's registry",
    "prune": "delete images from the registry that no lock names",
    "task": "run a task image on this machine and print its XCom",
    "local-up": "run all of Airflow on this machine with Docker Compose",
    "local-down": "stop that; keep its data and passwords",
}


def main(words: Sequence[str] | None = None) -> int:
    """Run one command, by default that of sys.argv; returns the exit code.

    0 if it succeeded; else 1, with the reason on standard error, or 130 after Ctrl-C.
    """
    arguments = parse(sys.argv[1:] if words is None else words)
    try:
        arguments.run(arguments)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted: run the command again to continue", file=sys.stderr)
        return 130
    return 0


def parse(words: Sequence[str]) -> argparse.Namespace:
    """The arguments of a command and, as `run`, the function to call with them."""
    parser = argparse.ArgumentParser(
        prog="airflow_kubernetes",
        description="Airflow on Kubernetes. `make help` lists the same commands with the variables "
        "that make passes as these options.",
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, summary in COMMANDS.items():
        description = f"{summary[0].upper()}{summary[1:]}."
        command = commands.add_parser(
            name, help=summary, description=description, allow_abbrev=False
        )
        if name in words[:1]:  # importing the others too would take longer than a render
            module = import_module(f".{name.replace('-', '_')}", __package__)
            module.add_arguments(command)
            command.set_defaults(run=module.run)
    return parser.parse_args(words)
