"""Pulumi.<env>.yaml, before and after: plain configuration, and the names of encrypted entries.

https://www.pulumi.com/docs/iac/concepts/config/: an encrypted value is `{secure: …}`, at any depth;
next to `config` is what it is encrypted with.
"""

from ..comparison.leaves import MISSING, Difference, differences, dotted
from ..settings.document import parse
from ..settings.problems import SettingsError
from ..settings.stack_file import CONTEXT, ENCRYPTION, checked
from .model import Field
from .objects import text
from .redaction import SECRET, looks_secret

CLUSTER = f"config.{CONTEXT}"
"""The entry that says which cluster the environment is on."""


def changed(before: str | None, after: str | None) -> tuple[Field, ...]:
    """The entries in which two texts of the file differ; None is no file."""
    try:
        old, new = (checked(parse(file or "", "")).data for file in (before, after))
    except SettingsError:
        message = "(the whole file: it is not valid YAML, or no configuration of a stack)"
        return (Field(message, "", SECRET, SECRET),)
    return tuple(_entry(each) for each in differences(old, new) if each.path)


def _entry(difference: Difference) -> Field:
    secure = difference.path[-1] == "secure"
    encrypted = secure or difference.path[0] in ENCRYPTION
    name = difference.path[-1].rpartition(":")[2]
    hide = encrypted or looks_secret(name, difference.old) or looks_secret(name, difference.new)
    old, new = (
        SECRET if hide and value is not MISSING else text(value)
        for value in (difference.old, difference.new)
    )
    path = dotted(difference.path[:-1] if secure else difference.path)
    return Field(path, name, old, new, effect="encrypted" if encrypted else "")
