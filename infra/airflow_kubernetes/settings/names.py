"""Names of Kubernetes objects and labels: what is wrong with a text, in words; None if nothing is.

Source: k8s.io/apimachinery/pkg/util/validation, by which the API server checks them.
"""

import re

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_QUALIFIED = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?")

_STACK = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")

LABEL_FORM = "up to {most} characters of a-z, 0-9 and -, without - at an end"
VALUE_FORM = "up to 63 letters, digits, _, . and -, with a letter or a digit at both ends"


def label(text: str, most: int = 63) -> str | None:
    """A DNS label: the name of a namespace, a volume, a Service."""
    if len(text) <= most and re.fullmatch(_LABEL, text):
        return None
    return f"should be {LABEL_FORM.format(most=most)}"


def namespace(text: str) -> str | None:
    """A DNS label that is not the name of a namespace of the cluster's own.

    This program enforces Pod Security `restricted` in its namespace, protects it and may delete
    it. Kubernetes reserves the prefix `kube-`
    (https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/).
    """
    if text == "default" or text.startswith("kube-"):
        return "should be a namespace of Airflow's own: default and kube-… are the cluster's"
    return label(text)


def environment(text: str) -> str | None:
    """The name of an environment, which is its Pulumi stack's, and an argument of commands."""
    if _STACK.fullmatch(text):
        return None
    return (
        "should have a name of letters, digits, -, _ and ., with a letter or a digit first, as "
        "Pulumi's stacks have: rename it"
    )


def subdomain(text: str) -> str | None:
    """A DNS subdomain: the name of a Secret, a ConfigMap, a claim, a storage class."""
    if len(text) <= 253 and _SUBDOMAIN.fullmatch(text):
        return None
    return (
        "should be up to 253 characters of a-z, 0-9, - and ., with a letter or a digit at both "
        "ends and on both sides of each ."
    )


def label_key(text: str) -> str | None:
    """The key of a label or a taint: a name of up to 63 characters, perhaps after a `prefix/`."""
    prefix, slash, name = text.rpartition("/")
    if slash and (len(prefix) > 253 or not _SUBDOMAIN.fullmatch(prefix)):
        return "should have a DNS name before the slash, as in kubernetes.io/arch"
    if len(name) > 63 or not _QUALIFIED.fullmatch(name):
        return f"should be the key of a label, such as kubernetes.io/arch: {VALUE_FORM}"
    return None


def taint_key(text: str) -> str | None:
    """The key of a taint; an empty one means all of them."""
    return label_key(text) if text else None


def label_value(text: str) -> str | None:
    """The value of a label, which may be empty."""
    if not text or (len(text) <= 63 and _QUALIFIED.fullmatch(text)):
        return None
    return f"should be the value of a label: {VALUE_FORM}"


def data_key(text: str) -> str | None:
    """The key of a value in a Secret or ConfigMap."""
    if re.fullmatch(r"[-._A-Za-z0-9]{1,253}", text) and text != "." and not text.startswith(".."):
        return None
    return "should be a key: up to 253 letters, digits, -, _ and ."


def search_domain(text: str) -> str | None:
    """A domain in resolv.conf, whose labels may have underscores; `.` is the root."""
    if text == "." or subdomain(text.removesuffix(".").replace("_", "a")) is None:
        return None
    return "should be a domain, such as svc.example.com"


def csi_driver(text: str) -> str | None:
    """The name of a CSI driver, such as secrets-store.csi.k8s.io."""
    if len(text) <= 63 and subdomain(text.lower()) is None:
        return None
    return "should be the name of a CSI driver, up to 63 characters, such as csi.example.com"
