"""A trial of the template of task pods: a server-side dry run creates one pod of it.

The template is a text in a ConfigMap, so the API server does not look at it before the scheduler
creates a task's pod; what it refuses then is in the scheduler's log alone.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from ..airflow import image_catalog
from ..airflow.releases import RELEASES
from ..airflow.task_pod import template
from ..console import say
from ..errors import CommandError, UserError
from ..images.references import by_tag
from ..kubectl.client import Kubectl, KubectlError
from ..kubernetes.manifest import Manifest
from ..settings.schema import Settings
from .target import Target

SETTINGS = {
    r"tolerations": "airflow.tasks.tolerations",
    r"nodeSelector": "airflow.tasks.nodeSelector",
    r"resources|per (?:Container|Pod)|quantit": "airflow.tasks.resources",
    r"affinity": "airflow.tasks.affinity",
    r"topologySpreadConstraints": "airflow.tasks.topologySpreadConstraints",
    r"[Pp]riorityClass": "airflow.tasks.priorityClassName",
    r"[Rr]untimeClass": "airflow.tasks.runtimeClassName",
    r"hostAliases": "airflow.tasks.hostAliases",
    r"dnsConfig": "airflow.tasks.dnsConfig",
    r"metadata.labels": "airflow.tasks.labels",
    r"metadata.annotations": "airflow.tasks.podAnnotations",
    r"initContainers": "airflow.tasks.extraContainers or extraInitContainers",
    r"lifecycle": "airflow.tasks.lifecycle",
    r"env\[": "airflow.tasks.env",
    r"volume": "airflow.tasks.volumes",
    r"imagePullSecrets": "images.imagePullSecrets",
    r"image\b": "images.registry",
}
"""The setting that makes a field of the pod, by words in the API server's messages."""

NOT_OF_THE_POD = re.compile(
    r"cannot create resource|exceeded quota|support dry run|looking up service account"
    r"|failed calling webhook"
)
"""Answers that say nothing about the template, only that this login, or now, cannot try it."""

OF_NO_USE = re.compile(
    r'Error from server \(\w+\): |error: |error (?:when creating|validating) "STDIN": '
    r'|error validating data: |pods "[^"]*" is forbidden: |, regex used for validation is .*(?=\))'
    r"|; if you choose to ignore.*|(?<=quantities) must match the regular expression .*"
)
"""Parts of kubectl's messages that do not help to correct the values."""


class RefusedError(CommandError):
    """The API server refuses task pods; a line for each field, with the setting that makes it."""


def try_task_pod(target: Target) -> None:
    """Have the API server check a pod as the executor would make it; changes nothing.

    Nothing for an executor without task pods. Before the first `up` the pod is tried in the
    namespace `default`, which does not enforce Pod Security; the policies do. Raises RefusedError,
    and KubectlError for a cluster that does not answer.
    """
    settings = target.settings
    if not RELEASES[settings.airflow.version].executor(settings.airflow.executor).kubernetes:
        return
    kubectl = target.kubectl
    if not kubectl.get("namespace", kubectl.namespace):
        kubectl = replace(kubectl, namespace="default")
    pod = _pod(settings, kubectl)
    try:
        kubectl.run(
            "create", "--dry-run=server", "--warnings-as-errors", "--filename=-", objects=[pod]
        )
    except KubectlError as error:
        _judge(str(error))


def try_if_reachable(target: Target) -> None:
    """The same where a cluster answers this login; elsewhere only a line that nothing was tried.

    Raises RefusedError.
    """
    try:
        try_task_pod(target)
    except RefusedError:
        raise
    except UserError as error:
        say(f"the template of task pods was not tried in the cluster: {error}")


def _pod(settings: Settings, kubectl: Kubectl) -> Manifest:
    """The template with what the executor adds (the Kubernetes provider's PodGenerator)."""
    (image,) = (
        by_tag(settings, spec)
        for spec in image_catalog.every(settings)
        if spec.name == image_catalog.of_task_pods(settings)
    )
    pod = template(settings, image)
    pod["metadata"] |= {"name": "airflow-task-dry-run", "namespace": kubectl.namespace}
    pod["metadata"]["labels"] = pod["metadata"]["labels"] | {
        "dag_id": "dag", "task_id": "task", "try_number": "1", "kubernetes_executor": "True",
    }  # fmt: skip
    pod["spec"]["containers"][0]["args"] = ["airflow", "version"]
    # Made by the first `up`; until then the namespace's default account stands in for it.
    if not kubectl.get("serviceaccount", pod["spec"]["serviceAccountName"]):
        del pod["spec"]["serviceAccountName"]
    return pod


def _judge(answer: str) -> None:
    """Say warnings and why nothing was tried. Raises RefusedError for the rest."""
    text = answer.partition(": ")[2]
    if "warning received" in text or "warnings received" in text:
        for line in text.splitlines():
            if line.startswith("Warning: "):
                say(f"warning: task pods: {_with_setting(line.removeprefix('Warning: '))}")
    elif NOT_OF_THE_POD.search(text):
        say(f"the template of task pods was not tried in the cluster: {OF_NO_USE.sub('', text)}")
    else:
        head = "the API server refuses the pods of tasks; nothing was changed:"
        raise RefusedError("\n".join([head, *_lines(text)]))


def _lines(text: str) -> Iterator[str]:
    """A line for each refused field, with the setting that makes it."""
    _, invalid, fields = text.partition(" is invalid: ")
    for line in (fields if invalid else text).split("\n"):
        if line.strip(" *"):
            yield f"  {_with_setting(line.strip(' *'))}"


def _with_setting(line: str) -> str:
    line = OF_NO_USE.sub("", line)
    for words, setting in SETTINGS.items():
        if re.search(words, line):
            return f"{setting}: {line}"
    return f"airflow.tasks: {line}"
