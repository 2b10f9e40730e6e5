"""`secrets`: the revision of the Secrets, and existing ones in the place of generated values."""

from typing import Annotated

from pydantic import Field

from ..fields import Section
from ..marks import LOCATION, PerEnvironment
from .contents import SecretKey

Existing = Annotated[SecretKey | None, LOCATION]


class Secrets(Section):
    """What the program generates, unless a Secret that exists has it: then `{secret: …, key: …}`.

    `revision`: raised after a Secret was changed manually; rolls the pods that use it.
    """

    revision: Annotated[
        Annotated[int, Field(ge=1, le=1000000)],
        PerEnvironment("secrets rotate per environment", "platform"),
    ]
    fernet_key: Existing = None
    """encrypts connections and variables in the database; to rotate it: new,old"""
    api_secret_key: Existing = None
    """signs sessions of the UI (of the webserver on Airflow 2)"""
    jwt_secret: Existing = None
    """signs the tokens of Airflow 3's API"""
    admin_password: Existing = None
    """of the first user, when it is created"""
    flower_basic_auth: Existing = None
    """user:password of Flower"""
    redis_password: Existing = None
    """of the Redis in the cluster"""
    mysql_password: Existing = None
    """of Airflow's user in the MySQL in the cluster, when its volume is made; URL-safe"""
    mysql_root_password: Existing = None
    """of root there, when its volume is made; without quotes"""
