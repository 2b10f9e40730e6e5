"""`make check`: the values of every environment, and parity."""

import argparse

from ..airflow import image_catalog
from ..environment import load
from ..settings.load import environments
from .parity import parity_of_all


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """An environment, or none for all of them."""
    parser.add_argument("environment", metavar="ENVIRONMENT", nargs="?", help="by default all")


def run(arguments: argparse.Namespace) -> None:
    """Load the values and describe the images; compare all environments if none is named."""
    for name in [arguments.environment] if arguments.environment else environments():
        image_catalog.every(load(name))
        print(f"values of {name}: no problem found")
    if not arguments.environment:
        parity_of_all()
