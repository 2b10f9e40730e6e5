"""Pulumi.<env>.yaml, before and after: plain configuration, and the names of encrypted entries.

https://www.pulumi.com/docs/iac/concepts/config/: an encrypted value is `{secure: …}`, at any depth;
next to `config` is what it is encrypted with.
"""

import yaml

from ..comparison.leaves import MISSING, Difference, differences, dotted
from ..parity.hygiene import CONTEXT, STACK_KEYS
from .model import Field
from .objects import text
from .redaction import SECRET, looks_secret

CLUSTER = f"config.{CONTEXT}"
"""The entry that says which cluster the environment is on."""

ENCRYPTION = STACK_KEYS[1:]


def changed(before: str | None, after: str | None) -> tuple[Field, ...]:
    """The entries in which two texts of the file differ; None is no file."""
    try:
        old, new = (yaml.load(one or "", Loader=yaml.CSafeLoader) or {} for one in (before, after))
    except yaml.YAMLError:
        return (Field("(the whole file: it is not valid YAML)", "", SECRET, SECRET),)
    return tuple(_entry(one) for one in differences(old, new) if one.path)


def _entry(one: Difference) -> Field:
    secure = one.path[-1] == "secure"
    encrypted = secure or one.path[0] in ENCRYPTION
    name = one.path[-1].rpartition(":")[2]
    hide = encrypted or looks_secret(name, one.old) or looks_secret(name, one.new)
    old, new = (
        SECRET if hide and value is not MISSING else text(value) for value in (one.old, one.new)
    )
    path = dotted(one.path[:-1] if secure else one.path)
    return Field(path, name, old, new, effect="encrypted" if encrypted else "")
