"""`secrets`: how changed Secrets reach the pods."""

from typing import Annotated

from pydantic import Field

from ..fields import Section
from ..marks import PerEnvironment


class Secrets(Section):
    """`revision` is raised after a Secret was changed by hand: it rolls the pods that use it."""

    revision: Annotated[
        Annotated[int, Field(ge=1, le=1000000)],
        PerEnvironment("secrets rotate per environment", "platform"),
    ]
