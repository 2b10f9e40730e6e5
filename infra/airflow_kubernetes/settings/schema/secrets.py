"""`secrets`: the revision of the Secrets, by which changed ones reach the pods."""

from typing import Annotated

from pydantic import Field

from ..fields import Section
from ..marks import PerEnvironment


class Secrets(Section):
    """`revision`: raised after a Secret was changed manually; rolls the pods that use it."""

    revision: Annotated[
        Annotated[int, Field(ge=1, le=1000000)],
        PerEnvironment("secrets rotate per environment", "platform"),
    ]
