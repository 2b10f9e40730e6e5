"""Where in the DAG folder DAGs, tasks and lookups of a file are written."""

from __future__ import annotations

import re
import sys
from functools import wraps
from typing import Any

Lookup = tuple[str, int, str, str]
"""File and line, "variable", "connection" or "database", and the name that an error would have."""


class Places:
    """Where in the DAG folder DAGs, tasks and lookups of a file are written."""

    def __init__(self, folder: str, file: str) -> None:
        self._folder, self._file = folder.rstrip("/") + "/", file
        self.tasks: dict[tuple[str, str], tuple[str, int]] = {}
        self.dags: list[tuple[str, tuple[str, int]]] = []
        self.lookups: dict[Lookup, bool] = {}
        """Whether one ended the import, because what it looks for is not here."""

    def relative(self, path: str) -> str:
        """The path from the DAG folder on."""
        return path.removeprefix(self._folder)

    def here(self, *, of_file: bool) -> tuple[str, int]:
        """File and line that are being run; `of_file`: rather of the file than of its helpers."""
        frame, inner = sys._getframe(1), None
        while frame is not None:
            name = frame.f_code.co_filename
            if name == self._file or (name.startswith(self._folder) and not of_file):
                return self.relative(name), frame.f_lineno
            if name.startswith(self._folder):
                inner = inner or (self.relative(name), frame.f_lineno)
            frame = frame.f_back
        return inner or (self.relative(self._file), 0)

    def look_up(self, what: str, name: str) -> None:
        """Note that DAG code looks up, for example, the "variable" of a name."""
        file, line = self.here(of_file=False)
        if line:
            self.lookups.setdefault((file, line, what, name), False)

    def watch(self, dag_class: Any) -> None:
        """Note DAGs and tasks as they are made."""
        init, add_task = dag_class.__init__, dag_class.add_task

        @wraps(init)
        def noting_init(dag: Any, *args: Any, **kwargs: Any) -> None:
            place = self.here(of_file=True)
            init(dag, *args, **kwargs)
            self.dags.append((dag.dag_id, place))

        @wraps(add_task)
        def noting_add_task(dag: Any, task: Any) -> None:
            add_task(dag, task)
            self.tasks.setdefault((dag.dag_id, task.task_id), self.here(of_file=True))

        dag_class.__init__, dag_class.add_task = noting_init, noting_add_task

    def of_dag(self, dag_id: str) -> tuple[str, int]:
        """The place of a DAG; the last one's of that id."""
        return dict(self.dags).get(dag_id, (self.relative(self._file), 0))

    def named_in(self, text: str) -> tuple[str, int]:
        """The place of the task that the text names, else of the DAG, else the first DAG's."""
        words = {word.strip(".-") for word in re.findall(r"[\w.-]+", text)}
        for (_, task_id), place in self.tasks.items():
            if task_id in words:
                return place
        for dag_id, place in self.dags:
            if dag_id in words:
                return place
        return self.dags[0][1] if self.dags else (self.relative(self._file), 0)
