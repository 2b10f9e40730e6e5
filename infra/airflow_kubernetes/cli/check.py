"""`make check`: the values of every environment, and parity."""

from ..airflow import image_catalog
from ..environment import load
from ..settings.load import environments
from .parity import parity_of_all


def check(environment: str) -> None:
    """Load the values and describe the images; compare all environments if none is named."""
    for name in [environment] if environment else environments():
        image_catalog.every(load(name))
        print(f"values of {name}: no problem found")
    if not environment:
        parity_of_all()
