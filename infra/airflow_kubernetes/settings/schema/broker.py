"""`broker`: the message broker of Celery executors."""

from typing import Annotated, Literal

from ..fields import CAPACITY, OWN_PLACE, STAND_IN, ImageName, Name, Section
from ..marks import PerEnvironment
from .kubernetes import Claim, Resources


class ClusterBroker(Section):
    """Redis in the cluster: one replica with a claim of its own."""

    image: Annotated[ImageName, STAND_IN]
    claim: Claim
    resources: Annotated[Resources, CAPACITY]


class ExternalBroker(Section):
    """A broker that somebody else runs; `secret` has its URL as the key url."""

    secret: Annotated[Name | None, OWN_PLACE]


class Broker(Section):
    """The message broker of Celery executors; without one of those nothing of it is deployed."""

    mode: Annotated[
        Literal["cluster", "external"],
        PerEnvironment("production brokers are often managed outside the cluster", "platform"),
    ]
    cluster: ClusterBroker
    external: ExternalBroker
