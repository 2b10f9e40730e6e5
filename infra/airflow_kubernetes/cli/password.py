"""`make password`: the generated password of Airflow's first user."""

import argparse
import base64

from ..errors import CommandError
from ..secrets import ADMIN_SECRET
from .target import Target
from .target import add_arguments as add_arguments


def run(arguments: argparse.Namespace) -> None:
    """Print it."""
    print(password(Target.load(arguments.environment, arguments.set)))


def password(target: Target) -> str:
    """The first user's password. Raises CommandError before the first `up`."""
    for obj in target.kubectl.get("secret", ADMIN_SECRET):
        return base64.b64decode(obj["data"]["password"]).decode()
    raise CommandError(f"no Secret {ADMIN_SECRET}: run make up ENV={target.environment} first")
