"""Airflow's KubernetesExecutor, with three differences.

A pod that cannot be created now is created later: upstream fails the task (all of this on 2.11,
what is no ApiException too; on 3.3 with task_publish_max_retries 0), or calls the API server for
each waiting task at every loop. What waits ends with the scheduler's task_queued_timeout.

A task whose pod the cluster took runs again without using one of its own retries: upstream fails
it (3.3), or waits minutes for its heartbeat (2.11, and a pod that was deleted while pending).

What a task's pod used is written into Airflow's event log, where `make usage` reads it.

airflow_local_settings.py names this class to the scheduler instead of upstream's.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import task_log
from airflow.models.log import Log
from airflow.models.taskinstance import TaskInstance
from airflow.models.taskinstancehistory import TaskInstanceHistory
from airflow.models.taskinstancekey import TaskInstanceKey
from airflow.providers.cncf.kubernetes.executors import kubernetes_executor_utils as utils
from airflow.providers.cncf.kubernetes.executors.kubernetes_executor import (
    KubernetesExecutor as UpstreamExecutor,
)
from airflow.providers.cncf.kubernetes.executors.kubernetes_executor_types import (
    POD_REVOKED_KEY,
    KubernetesJob,
    KubernetesResults,
    KubernetesWatch,
)
from airflow.utils.session import create_session
from airflow.utils.state import TaskInstanceState
from kubernetes.client.exceptions import ApiException
from sqlalchemy import select
from urllib3.exceptions import HTTPError

from .ends import End, end, out_of_memory, taken_by
from .refusals import message, passes, retry_after
from .use import Use, use

LINE_3 = hasattr(TaskInstance, "prepare_db_for_next_try")
"""Whether this is Airflow 3."""

WRITER = "task_pods"
EVENT = "task pod lost"
"""In Airflow's event log, once for each try that ended with its pod: what counts for the bound."""

USED = "task pod used"
"""In Airflow's event log, once for each try: a Use, as JSON."""

PAUSE = 2.0
"""Seconds until the next pod is tried, after the API server has refused one: with a full quota, one
request in that time, however many tasks wait."""

REMIND = 60.0
"""Seconds until a task that still waits has it in its log again."""


def report(task: Mapping[str, str], text: str) -> None:
    """Write a line into a task's log; without one (a full volume) the task goes on."""
    file = task_log.log_file(task_log.base_folder(), task, WRITER)
    if file is None:
        return
    try:
        task_log.write(file, WRITER, text)
    except OSError as error:
        print(f"{file}: {error}", flush=True)


def identity(key: TaskInstanceKey) -> dict[str, str]:
    """A try of a task, as in the annotations of its pod."""
    found = {
        "dag_id": key.dag_id,
        "run_id": key.run_id,
        "task_id": key.task_id,
        "try_number": str(key.try_number),
    }
    return found | ({"map_index": str(key.map_index)} if key.map_index >= 0 else {})


class Watcher(utils.KubernetesJobWatcher):
    """Reports how a pod ended and what it used, and in a task's log that its pod is being taken."""

    def run(self) -> None:
        """Upstream's, with the pods whose end was announced."""
        self.announced: set[str] = set()
        super().run()

    def process_status(
        self,
        pod_name: str,
        namespace: str,
        status: str,
        annotations: dict[str, str],
        resource_version: str,
        event: Any,
    ) -> None:
        """Report an end with its reason; upstream handles everything else."""
        pod, gone = event["raw_object"], event["type"] == "DELETED"
        if POD_REVOKED_KEY not in pod["metadata"].get("labels", {}):
            fatal = frozenset(self.kube_config.worker_pod_pending_fatal_container_state_reasons)
            ended = end(pod, gone=gone, fatal=fatal)
            if ended is not None:
                self.announced.discard(pod_name)
                failed = TaskInstanceState.FAILED
                details = utils.collect_pod_failure_details(event["object"], self.log) or {}
                details |= {"end": tuple(ended), "pod_status": status, "use": use(pod)}
                self.watcher_queue.put(
                    KubernetesWatch(
                        pod_name, namespace, failed, annotations, resource_version, details
                    )
                )
                return
            self._announce(pod, pod_name, status)
            if gone:
                self.announced.discard(pod_name)
            elif status == "Succeeded":
                self.log.info("Event: %s Succeeded", pod_name)
                details = {"use": use(pod)}
                self.watcher_queue.put(
                    KubernetesWatch(
                        pod_name, namespace, None, annotations, resource_version, details
                    )
                )
                return
        super().process_status(pod_name, namespace, status, annotations, resource_version, event)

    def _announce(self, pod: dict[str, Any], name: str, status: str) -> None:
        """Write into a task's log, once, what becomes of its pod without being its end."""
        deadline, text = pod["metadata"].get("deletionTimestamp"), None
        if status == "Running" and deadline:
            text = f"is being taken: {taken_by(pod)}. The task may finish until {deadline}"
        elif status == "Succeeded":
            text = out_of_memory(pod)
        if text and name not in self.announced:
            self.announced.add(name)
            report(pod["metadata"].get("annotations", {}), f"pod {name} {text}")


class TaskPods(utils.AirflowKubernetesScheduler):
    """Creates pods; keeps the tasks that wait for one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.jobs: dict[TaskInstanceKey, KubernetesJob] = {}
        """What the pods of running tasks were made from."""
        self.waiting: dict[TaskInstanceKey, KubernetesJob] = {}
        """Tasks without a pod; the dicts below are for the same tasks."""
        self._asked: dict[TaskInstanceKey, float] = {}
        self._since: dict[TaskInstanceKey, float] = {}
        self._reported: dict[TaskInstanceKey, float] = {}
        self._held_until, self._reason = 0.0, ""
        super().__init__(*args, **kwargs)

    def run_next(self, next_job: KubernetesJob) -> None:
        """Create the pod, or have the task wait. Raises what no waiting puts right."""
        if time.monotonic() < self._held_until:
            self.wait(next_job, self._reason)
            return
        try:
            super().run_next(next_job)
        except Exception as error:
            if self._given_up(next_job, error):
                raise
        else:
            self._created(next_job)

    def run_next_batch(
        self, next_jobs: list[KubernetesJob]
    ) -> list[tuple[KubernetesJob, Exception | None]]:
        """The same, for async_pod_creation of 3.3."""
        results: list[tuple[KubernetesJob, Exception | None]] = []
        for job, error in super().run_next_batch(next_jobs):
            if error is None:
                self._created(job)
            results.append((job, error if error and self._given_up(job, error) else None))
        return results

    def wait(self, job: KubernetesJob, reason: str) -> None:
        """Keep a task until its pod can be created, and say why in its log, again now and then."""
        now = time.monotonic()
        self.waiting[job.key] = job
        self._since.setdefault(job.key, now)
        if now - self._reported.get(job.key, -REMIND) >= REMIND:
            self._reported[job.key] = now
            report(identity(job.key), f"waits for the cluster: {reason}")

    def due(self, most: int) -> Iterator[KubernetesJob]:
        """Take up to `most` of the waiting tasks, if it is time to try again.

        The last ones are those that were refused last: what never fits must not block the others.
        """
        if time.monotonic() < self._held_until:
            return
        for key in sorted(self.waiting, key=lambda key: self._asked.get(key, 0))[:most]:
            yield self.waiting.pop(key)

    def forget(self, key: TaskInstanceKey) -> None:
        """Drop what is kept of a task that this executor runs no longer."""
        for kept in (self.jobs, self.waiting, self._asked, self._since, self._reported):
            kept.pop(key, None)

    def _created(self, job: KubernetesJob) -> None:
        self.jobs[job.key] = job
        for kept in (self._asked, self._reported):
            kept.pop(job.key, None)
        if (since := self._since.pop(job.key, None)) is not None:
            waited = time.monotonic() - since
            report(identity(job.key), f"its pod was created, after {waited:.0f} s")

    def _given_up(self, job: KubernetesJob, error: Exception) -> bool:
        """Whether the error is final; if not, the task waits, and so does everything behind it."""
        text = f"its pod cannot be created: {message(error)}"
        if not passes(error):
            report(identity(job.key), text)
            return True
        self._reason, self._asked[job.key] = text, time.monotonic()
        self._held_until = time.monotonic() + max(PAUSE, retry_after(error))
        self.wait(job, self._reason)
        return False


# Upstream's executor and scheduler take them by these names, when they start.
utils.KubernetesJobWatcher = Watcher
utils.AirflowKubernetesScheduler = TaskPods


class KubernetesExecutor(UpstreamExecutor):
    """Upstream's, by the same name: `core.executor` and `executor=` of DAGs stay as they are."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.disruption_retries = int(os.environ["TASK_DISRUPTION_RETRIES"])
        self._ended_pods: dict[TaskInstanceKey, str] = {}
        """The pod of a task that ended last: the API server reports an end more than once."""
        self._uses: list[tuple[TaskInstanceKey, Use]] = []
        """Of the pods that ended in this loop."""

    def sync(self) -> None:
        """Upstream's, with the tasks that waited. A lost API server does not end the scheduler."""
        for job in self.kube_scheduler.due(self.kube_config.worker_pods_creation_batch_size):
            if job.key in self.running:
                self.task_queue.put(job)
            else:
                self._forget(job.key)
        try:
            super().sync()
        except (ApiException, HTTPError) as error:
            self.log.warning("The API server does not answer: %s", message(error))
        self._record_uses()

    def revoke_task(self, *, ti: TaskInstance) -> None:
        """Upstream's, for the tasks that wait too."""
        self._forget(ti.key)
        try:
            super().revoke_task(ti=ti)
        except (ApiException, HTTPError) as error:
            self.log.warning("The pod of %s may be left: %s", ti.key, message(error))

    def try_adopt_task_instances(self, tis: Sequence[TaskInstance]) -> Sequence[TaskInstance]:
        """Upstream's. A task that ends with its dead scheduler uses none of its own retries."""
        orphans = super().try_adopt_task_instances(tis)
        for ti in orphans:
            ti.max_tries += 1
            report(
                identity(ti.key), "its scheduler is gone, and so is its pod; the task runs again"
            )
        return orphans

    def _change_state(self, results: KubernetesResults, **kwargs: Any) -> None:
        """Upstream's, unless the cluster ended a pod whose task had not."""
        key, pod = results.key, results.pod_name
        details = results.failure_details or {}
        if details.get("use") and key in self.running and self._ended_pods.get(key) != pod:
            self._uses.append((key, Use(*details["use"])))
        if "end" in details and key in self.running:
            if self._ended_pods.get(key) == pod:
                return
            ended = End(*details["end"])
            if details["pod_status"] == "Pending":  # it would hold its requests for ever
                self.kube_scheduler.delete_pod(pod_name=pod, namespace=results.namespace)
            fails = self._fails(key, pod, ended)
            if key in self.running:
                self._ended_pods[key] = pod
            if not fails:
                return
        super()._change_state(results, **kwargs)
        if key not in self.running:
            self._forget(key)

    def _record_uses(self) -> None:
        """Write what pods used, in one request."""
        if not self._uses:
            return
        rows = [
            Log(event=USED, task_instance=key, extra=json.dumps(used._asdict()))
            for key, used in self._uses
        ]
        self._uses.clear()
        with create_session() as session:
            session.add_all(rows)

    def _forget(self, key: TaskInstanceKey) -> None:
        self._ended_pods.pop(key, None)
        self.kube_scheduler.forget(key)
        getattr(self, "pod_launch_attempts", {}).pop(key, None)  # of 3.3

    def _fails(self, key: TaskInstanceKey, pod: str, ended: End) -> bool:
        """Whether the end of its pod is the task's failure. If not, all is done that is to do."""
        text, job = f"pod {pod} {ended.text}", self.kube_scheduler.jobs.get(key)
        with create_session() as session:
            ti = session.scalar(select(TaskInstance).where(TaskInstance.filter_for_tis([key])))
            if ti is None:
                return True
            ti.refresh_from_db(session=session, lock_for_update=True)
            state = ti.state if ti.try_number == key.try_number else None
            running = state == TaskInstanceState.RUNNING
            if running and ti.hostname and not pod.startswith(ti.hostname):
                return False  # a second pod of the same try: the task runs in the first
            begun_or_not = running or state == TaskInstanceState.QUEUED
            again = False
            if begun_or_not and ended.by_cluster:
                if not running and job is not None:
                    self.kube_scheduler.wait(job, text)
                    return False
                past = _disruptions_before(session, ti)
                bound = f"airflow.tasks.disruptionRetries: {self.disruption_retries}"
                again = past < self.disruption_retries
                if again:
                    text += (
                        f". The task runs again, as try {ti.try_number + 1}, without using one of "
                        f"its own retries ({past + 1} in a row; {bound})"
                    )
                    _run_again(session, ti, text)
                else:
                    text += f". That was once too often in a row ({bound}): the task fails"
            if running and not again and not LINE_3:
                # Airflow 2 leaves running tasks to their heartbeats, and fails what is queued.
                TaskInstanceHistory.record_ti(ti, session=session)
                ti.state = TaskInstanceState.QUEUED
        if begun_or_not or ended.limit:
            report(identity(key), text)
            self.log.warning("%s: %s", key, text)
        if again:
            self.running.discard(key)
            self._forget(key)
        return not again


def _run_again(session: Any, ti: TaskInstance, text: str) -> None:
    """As the scheduler resets an orphan, with one more try."""
    session.add(Log(event=EVENT, task_instance=ti.key, extra=text))
    if LINE_3:
        ti.prepare_db_for_next_try(session)
    else:
        TaskInstanceHistory.record_ti(ti, session=session)
    ti.max_tries += 1
    ti.state = None
    ti.queued_by_job_id = None
    ti.external_executor_id = None
    ti.clear_next_method_args()


def _disruptions_before(session: Any, ti: TaskInstance) -> int:
    """How many of the tries just before this one ended with their pod."""
    of_this_task = (
        getattr(Log, column) == getattr(ti, column)
        for column in ("dag_id", "task_id", "run_id", "map_index")
    )
    tries = {*session.scalars(select(Log.try_number).where(*of_this_task, Log.event == EVENT))}
    before = ti.try_number - 1
    while before in tries:
        before -= 1
    return ti.try_number - 1 - before
