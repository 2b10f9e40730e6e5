"""`make check`: the values of every environment, and parity."""

from ..airflow import image_catalog
from ..environment import load
from ..errors import CommandError
from ..settings.load import environments
from .parity import parity_of_all
from .shared_locations import shared


def check(environment: str) -> None:
    """Load the values and describe the images; compare all environments if none is named.

    Raises SettingsError, and CommandError for two environments that use the same place.
    """
    settings = {name: load(name) for name in ([environment] if environment else environments())}
    for name, values in settings.items():
        image_catalog.every(values)
        print(f"values of {name}: no problem found")
    if found := [*shared(settings)]:
        raise CommandError("\n".join(found))
    if not environment:
        parity_of_all()
