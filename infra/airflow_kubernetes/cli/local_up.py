"""`make local-up`: all of Airflow on this machine with Docker Compose."""

import argparse

from .local import local_up
from .target import Target
from .target import add_arguments as add_target


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The environment, and where the DAGs are."""
    add_target(parser)
    parser.add_argument(
        "--live", action="store_true", help="with ./dags as edited, instead of the image's"
    )


def run(arguments: argparse.Namespace) -> None:
    """Start it."""
    target = Target.load(arguments.environment, arguments.set, read_only=True)
    local_up(target, live=arguments.live)
