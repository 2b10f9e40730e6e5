"""Errors of builds: which image, platform and step, its last lines, and what to do about it.

They are read from buildx's plain progress: `#7 [builder 2/8] RUN …`, lines of the step as `#7 0.123
text`, `#7 ERROR: …`, and at the end one `ERROR: …`.
"""

import re
from dataclasses import dataclass

from ..registry.login import PASSWORD, USER

LINES = 20

LOG_IN = (
    f"log in with a user who may do this there: docker login, or {USER} and {PASSWORD} (for Pulumi "
    "registryUsername and registryPassword in the stack's configuration)"
)
SPACE = (
    "the builder's disk is full: docker buildx prune --builder <images.builder> frees what no "
    "build needs; or give it more"
)
TRUST = (
    "the certificate is of an authority that is not trusted: set SSL_CERT_FILE to a file that has "
    "it (builds get it as a secret), and for a registry add it to the builder's configuration "
    "(buildkitd.toml, [registry], ca)"
)
REACH = (
    "it cannot be reached from the builder: check the name, the network, and HTTPS_PROXY and "
    "NO_PROXY if the way out is a proxy"
)

# The first pattern that is found counts. Of RUN steps only what a program said is looked through:
# their network and logins are not the registry's.
IN_STEP = (
    (r"no space left on device|disk quota exceeded", SPACE),
    (
        r"exec format error",
        "it runs a program of another architecture: run it in the builder stage "
        "(FROM --platform=$BUILDPLATFORM), and only copy in the final one",
    ),
    (r"exit code: 137", "it was killed, most often for want of memory: give the builder more"),
    (r"x509: |CERTIFICATE_VERIFY_FAILED|certificate verif|self-signed certificate", TRUST),
    (
        r"Temporary failure (in name resolution|resolving)|Name or service not known|"
        r"Connection refused|Network is unreachable|timed out|Could not connect",
        REACH,
    ),
    (r"", "mend what the step's last lines say; a build goes on from the steps before it"),
)
AT_REGISTRY = (
    (
        r"429 Too Many Requests|toomanyrequests",
        "the registry has had too many requests: wait, or log in (docker login), which Docker Hub "
        "counts apart; base images that are pulled often belong into a registry of your own "
        "(images.pythonBaseImage)",
    ),
    (
        r"\b401\b|\b403\b|unauthorized|authorization failed|denied|insufficient.scope|"
        r"no basic auth credentials",
        LOG_IN,
    ),
    (r"no space left on device|disk quota exceeded", SPACE),
    (r"x509: |tls: ", TRUST),
    (r"dial tcp|connection refused|no such host|i/o timeout|connection reset|EOF", REACH),
    (
        r"failed to resolve source metadata.*not found",
        "there is no such base image: check images.pythonBaseImage and images.airflow",
    ),
    (r"", "mend what is said above"),
)


@dataclass(frozen=True)
class Failure:
    """Where and why a build stopped."""

    step: str
    """The step's instruction, or what buildx was doing; empty if nothing had begun."""
    error: str
    lines: tuple[str, ...]
    """What the step printed."""


def explain(image: str, platform: str, output: str) -> str:
    """The message of a failed build: `output` is all that buildx printed with --progress=plain."""
    found = failure(output)
    where = f" at the step {found.step}" if found.step else ""
    tail = "".join(f"\n    {line}" for line in found.lines[-LINES:])
    return (
        f"{image} ({platform}): the build failed{where}{tail}\n  {found.error}\n"
        f"  Remedy: {remedy(found)}\n  Nothing refers to this image: the lock is unchanged"
    )


def failure(output: str) -> Failure:
    """The step that failed, its output without numbers and times, and buildx's last word."""
    lines = output.splitlines()
    finals = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    error = re.sub(r"^(failed to build: )?(failed to solve: )?", "", finals[-1] if finals else "")
    # Steps that ran beside it are CANCELED, with an error of their own.
    failed = [
        found[1]
        for line in lines
        if (found := re.match(r"#(\d+) ERROR: (?!.*context canceled)", line))
    ]
    if not failed:
        return Failure("", error or "buildx gave no reason", tuple(_not_empty(lines)))
    said = [
        line.removeprefix(f"#{failed[-1]} ") for line in lines if line.startswith(f"#{failed[-1]} ")
    ]
    # The first line is the step's name; it comes again where several steps take turns.
    step = said[0]
    printed = [re.sub(r"^\d+\.\d+ ", "", line) for line in said if re.match(r"\d+\.\d+ ", line)]
    if not printed:
        printed = [line for line in said[1:] if line != step and not line.startswith("ERROR: ")]
    return Failure(step, error, tuple(_not_empty(printed)))


def remedy(found: Failure) -> str:
    """What to do about it."""
    ran = "did not complete successfully" in found.error
    text = "\n".join((found.error, *(found.lines if ran else ())))
    table = IN_STEP if ran else AT_REGISTRY
    return next(advice for pattern, advice in table if re.search(pattern, text))


def _not_empty(lines: list[str]) -> list[str]:
    return [line for line in lines if line.strip()]
