"""`budget`: what an environment may request at most."""

from typing import Annotated

from ..fields import CAPACITY, Quantity, Section


class Budget(Section):
    """What may be requested at most when as many tasks run as may (policies/budget.py).

    CPU in cores, memory and storage (of all claims) in bytes.
    """

    cpu: Annotated[Quantity, CAPACITY]
    memory: Annotated[Quantity, CAPACITY]
    storage: Annotated[Quantity, CAPACITY]
