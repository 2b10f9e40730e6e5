"""How a generated secret value comes to be under each engine.

Under Pulumi it is a protected resource of the random provider, kept in the stack's encrypted
state. Under kubectl it is drawn here once, and the cluster's Secret is its only record.
"""

import base64
import os
import secrets
import string

import pulumi
import pulumi_random

from .credentials import Kind

LENGTH = {Kind.PASSWORD: 32, Kind.KEY: 64}


def resource(name: str, kind: Kind, opts: pulumi.ResourceOptions) -> pulumi.Output[str]:
    """The value as a resource `name` of the random provider."""
    if kind is Kind.FERNET:
        drawn = pulumi_random.RandomBytes(name, length=32, opts=opts)
        return pulumi.Output.secret(drawn.base64.apply(_url_safe))
    return pulumi_random.RandomPassword(name, length=LENGTH[kind], special=False, opts=opts).result


def draw(kind: Kind) -> str:
    """A fresh value from the operating system's random source."""
    if kind is Kind.FERNET:
        return base64.urlsafe_b64encode(os.urandom(32)).decode()
    alphabet = string.ascii_letters + string.digits
    return "".join(secrets.choice(alphabet) for _ in range(LENGTH[kind]))


def _url_safe(text: str) -> str:
    return text.replace("+", "-").replace("/", "_")
