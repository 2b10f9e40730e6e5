"""Generated secrets: made once, and never if there is data of lost ones."""

import base64
import re
from types import SimpleNamespace
from typing import cast

import pytest
from airflow_kubernetes.environment import load
from airflow_kubernetes.kubectl.client import Kubectl
from airflow_kubernetes.kubectl.foundation import FoundationError, check, check_existing
from airflow_kubernetes.kubernetes.manifest import Manifest
from airflow_kubernetes.secrets import Generated, Kind, draw, generated

KEYS = Generated("airflow-keys", "keys", {}, {"fernet-key": Kind.FERNET})
MYSQL = Generated("airflow-mysql", "mysql", {"username": "airflow"}, {"password": Kind.PASSWORD})


def secret(name: str, values: dict[str, str]) -> Manifest:
    encoded = {key: base64.b64encode(text.encode()).decode() for key, text in values.items()}
    return {"metadata": {"name": name}, "data": encoded}


KEYS_OF_MINE = "secrets.fernetKey.secret=mine secrets.fernetKey.key=fernet"


def check_fernet(own: str | None, mine: str) -> None:
    """With a generated fernet key, or None, and that of the user's Secret."""
    secrets = [secret("mine", {"fernet": mine})]
    secrets += [] if own is None else [secret("airflow-keys", {"fernet-key": own})]
    kubectl = SimpleNamespace(get=lambda _: secrets)
    check_existing(cast(Kubectl, kubectl), load("dev", KEYS_OF_MINE))


def test_an_existing_key_has_to_be_that_of_the_data() -> None:
    check_fernet(None, "b")
    check_fernet("a", "a")
    check_fernet("a", "b,a")
    with pytest.raises(
        FoundationError,
        match=r"mine \(key fernet\) has another value than the Secret airflow-keys "
        r"\(key fernet-key\).*copy.*or remove secrets.fernetKey",
    ):
        check_fernet("a", "b")


def test_what_exists_is_not_generated() -> None:
    names = {one.name: set(one.keys) for one in generated(load("dev", KEYS_OF_MINE))}
    assert names["airflow-keys"] == {"api-secret-key", "jwt-secret"}
    others = "secrets.{0}.secret=mine secrets.{0}.key=k"
    more = " ".join(others.format(name) for name in ("apiSecretKey", "jwtSecret"))
    assert "airflow-keys" not in {
        one.name for one in generated(load("dev", f"{KEYS_OF_MINE} {more}"))
    }


def missing(wanted: list[Generated], secrets: list[Manifest], *claims: str) -> list[Generated]:
    """Those of the wanted Secrets that a cluster with these Secrets and claims lacks."""
    listed = {"secrets": secrets, "persistentvolumeclaims": [secret(name, {}) for name in claims]}
    kubectl = SimpleNamespace(get=lambda kinds, *_: listed[kinds])
    return check(cast(Kubectl, kubectl), wanted)


def test_the_first_up_makes_all() -> None:
    assert missing([KEYS, MYSQL], []) == [KEYS, MYSQL]


def test_an_interrupted_first_up_goes_on() -> None:
    assert missing([KEYS, MYSQL], [secret("airflow-keys", {"fernet-key": "x"})]) == [MYSQL]


@pytest.mark.parametrize("claim", ["airflow-mysql", "airflow-logs"])
def test_a_lost_secret_is_not_made_again_beside_data(claim: str) -> None:
    with pytest.raises(FoundationError, match=f"{claim}.*airflow-keys.*Restore the Secret"):
        missing([KEYS], [], claim)


def test_a_secret_without_a_key_is_refused() -> None:
    with pytest.raises(FoundationError, match="airflow-mysql has no password"):
        missing([MYSQL], [secret("airflow-mysql", {"username": "airflow"})])


def test_what_was_made_with_the_database_does_not_change_with_the_values() -> None:
    with pytest.raises(FoundationError, match="says username: other, the values say airflow"):
        missing([MYSQL], [secret("airflow-mysql", {"username": "other", "password": "x"})])


def test_user_and_name_of_the_database_are_on_record() -> None:
    (mysql,) = (one for one in generated(load("dev")) if one.name == "airflow-mysql")
    assert mysql.plain == {"username": "airflow", "database": "airflow"}


def test_drawn_values_fit_where_they_are_pasted() -> None:
    assert re.fullmatch(r"[A-Za-z0-9]{32}", draw(Kind.PASSWORD))
    assert re.fullmatch(r"[A-Za-z0-9]{64}", draw(Kind.KEY))
    assert len(base64.urlsafe_b64decode(draw(Kind.FERNET))) == 32
    assert draw(Kind.KEY) != draw(Kind.KEY)
