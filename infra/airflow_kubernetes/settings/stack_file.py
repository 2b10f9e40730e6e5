"""Pulumi.<env>.yaml: where an environment's cluster is, and its encrypted secrets.

https://www.pulumi.com/docs/iac/concepts/config/
"""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from . import document
from .document import Document
from .fields import Section
from .scalars import Unclear
from .validation import validated

CONTEXT = "kubernetes:context"
"""The key of the cluster's context in kubeconfig."""

ENCRYPTION = ("encryptionsalt", "encryptedkey", "secretsprovider")
"""Keys next to `config` that say how the stack's secrets are encrypted."""


class _Config(BaseModel):
    """An encrypted entry is `{secure: …}`. The alias is CONTEXT, as a literal for mypy."""

    model_config = ConfigDict(strict=True, extra="allow")
    context: str | None = Field(default=None, alias="kubernetes:context")


class _File(Section):
    """Keys that should not be there are reported by `make parity`, with what to do instead."""

    model_config = ConfigDict(extra="allow")
    config: _Config | None = None
    encryptionsalt: str | None = None
    encryptedkey: str | None = None
    secretsprovider: str | None = None


def read(environment: str, root: Path) -> Document:
    """The stack's file in the checkout `root`. Raises SettingsError.

    `config`, if it is set, is a mapping, and its context a text.
    """
    name = f"Pulumi.{environment}.yaml"
    return checked(document.read(root / name, name))


def checked(stack: Document) -> Document:
    """The document, of which JSON has every type. Raises SettingsError if it is no stack's."""
    validated(_File, stack, "missing")
    return replace(stack, data=_json(stack.data))


def _json(value: Any) -> Any:
    """Dates and what is unclear as they are written; Pulumi's own reader decides what they are."""
    if isinstance(value, dict):
        return {key: _json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_json(item) for item in value]
    return str(value) if isinstance(value, date | Unclear) else value
