"""`logs`: the volume of task logs."""

from ..fields import Section
from .kubernetes import Claim


class Logs(Section):
    """Task logs: a volume shared by the components and the task pods (ReadWriteMany)."""

    claim: Claim
