"""Answers what a file asks the database for while it is read: that it is not there."""

from __future__ import annotations

import os
from typing import Any

from .places import Places

NOWHERE = "no database while DAGs are checked"


class DatabaseError(Exception):
    """What a query gets here."""


def refuse_lookups(places: Places) -> None:
    """Note what DAG code asks the database for, and answer that it is not there."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    def refuse(*_: Any) -> None:
        places.look_up("database", NOWHERE)
        raise DatabaseError(NOWHERE)

    event.listen(Engine, "do_connect", refuse)
    try:
        from airflow.sdk.execution_time import task_runner
        from airflow.sdk.execution_time.supervisor import block_orm_access
    except ImportError:  # Airflow 2
        _refuse_on_2(places)
        return
    os.environ["_AIRFLOW_PROCESS_CONTEXT"] = "client"
    task_runner.SUPERVISOR_COMMS = _Supervisor(places)
    block_orm_access()


class _Supervisor:
    """On Airflow 3: whom DAG code asks, as it has no access to the database."""

    def __init__(self, places: Places) -> None:
        self._places = places

    def send(self, message: Any, **_: Any) -> Any:
        from airflow.sdk.exceptions import ErrorType
        from airflow.sdk.execution_time.comms import ErrorResponse

        kind = type(message).__name__
        if kind == "MaskSecret":
            return None
        if kind == "GetVariable":
            self._places.look_up("variable", message.key)
            return ErrorResponse(error=ErrorType.VARIABLE_NOT_FOUND)
        if kind == "GetConnection":
            self._places.look_up("connection", message.conn_id)
            return ErrorResponse(error=ErrorType.CONNECTION_NOT_FOUND)
        self._places.look_up("database", NOWHERE)
        return ErrorResponse(error=ErrorType.GENERIC_ERROR, detail={"message": NOWHERE})

    async def asend(self, message: Any, **more: Any) -> Any:
        return self.send(message, **more)


def _refuse_on_2(places: Places) -> None:
    from airflow.secrets.metastore import MetastoreBackend

    def get_variable(_: Any, key: str, **__: Any) -> None:
        places.look_up("variable", key)

    def get_connection(_: Any, conn_id: str, **__: Any) -> None:
        places.look_up("connection", conn_id)

    MetastoreBackend.get_variable = get_variable
    MetastoreBackend.get_connection = get_connection
