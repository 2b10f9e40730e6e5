"""`budget`: the most that an environment may request."""

from typing import Annotated

from ..fields import Cpu, Memory, Section, Storage
from ..marks import CAPACITY


class Budget(Section):
    """The most that may be requested at full parallelism (policies/capacity.py), and the quota of
    the pods that tasks launch (airflow/launched_pods.py), each on its own.

    CPU in cores, memory in bytes, storage (of all claims) in bytes.
    """

    cpu: Annotated[Cpu, CAPACITY]
    """cores that may be requested"""
    memory: Annotated[Memory, CAPACITY]
    """memory that may be requested"""
    storage: Annotated[Storage, CAPACITY]
    """size of all claims together"""
