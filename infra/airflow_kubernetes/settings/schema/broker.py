"""`broker`: the message broker of Celery executors."""

from typing import Annotated, Literal

from ..fields import ImageName, ObjectName, Section
from ..marks import CAPACITY, STAND_IN, UNIQUE_LOCATION, PerEnvironment
from .kubernetes import Claim, Resources
from .pods import OwnAccount, PodSettings


class ClusterBroker(PodSettings, OwnAccount):
    """Redis in the cluster: one replica and its claim."""

    image: Annotated[ImageName, STAND_IN]
    """the image of Redis"""
    claim: Claim
    resources: Annotated[Resources, CAPACITY]
    """requests and limits of CPU and memory"""


class ExternalBroker(Section):
    """A broker outside this program; `secret` has its URL in the key url."""

    secret: Annotated[ObjectName | None, UNIQUE_LOCATION]


class Broker(Section):
    """The message broker. It is deployed only for Celery executors."""

    mode: Annotated[
        Literal["cluster", "external"],
        PerEnvironment("production brokers are often managed outside the cluster", "platform"),
    ]
    cluster: ClusterBroker
    external: ExternalBroker
