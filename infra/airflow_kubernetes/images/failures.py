"""Messages for failed builds and pushes: image, platform, step, its last lines, and the remedy.

They are read from buildx's plain progress: `#7 [builder 2/8] RUN …`, lines of the step as `#7 0.123
text`, `#7 ERROR: …`, and at the end one `ERROR: …`.
"""

import re
from dataclasses import dataclass

from ..errors import UserError
from ..registry.login import PASSWORD, USER

LINES = 20
"""The number of a step's last lines that a message repeats."""

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
    "NO_PROXY if connections need a proxy"
)

# The first pattern that matches counts. Of RUN steps only the program's output is searched: its
# network and logins are not the registry's.
IN_STEP = (
    (r"no space left on device|disk quota exceeded", SPACE),
    (
        r"exec format error",
        "it runs a program of another architecture: run it in the builder stage "
        "(FROM --platform=$BUILDPLATFORM), and only copy in the final one",
    ),
    (r"exit code: 137", "it probably ran out of memory and was killed: give the builder more"),
    (r"x509: |CERTIFICATE_VERIFY_FAILED|certificate verif|self-signed certificate", TRUST),
    (
        r"Temporary failure (in name resolution|resolving)|Name or service not known|"
        r"Connection refused|Network is unreachable|timed out|Could not connect",
        REACH,
    ),
    (r"", "fix what the step's last lines report; the next build starts from the steps before it"),
)
AT_REGISTRY = (
    (
        r"429 Too Many Requests|toomanyrequests",
        "the registry has had too many requests: wait, or log in (docker login), which Docker Hub "
        "counts separately; keep base images that are pulled often in a registry of your own "
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
    (
        r"no match for platform",
        "the image is not built for the builder's own platform: add that to images.platforms",
    ),
    (r"@sha256:\w+: not found", "the registry no longer has this image: make images builds it"),
    (r"", "fix what the error reports"),
)


class BuildError(UserError):
    """An image could not be built or pushed; the message names image, platform and last lines."""


@dataclass(frozen=True)
class Failure:
    """Where and why a build stopped."""

    step: str
    """The step's instruction, or what buildx was doing; empty if nothing had begun."""
    error: str
    lines: tuple[str, ...]
    """What the step printed."""


def explain(image: str, platform: str, output: str) -> str:
    """The message for a failed build: `output` is all that buildx printed as plain progress."""
    failed = failure(output)
    step = f" at the step {failed.step}" if failed.step else ""
    tail = "".join(f"\n    {line}" for line in failed.lines[-LINES:])
    return (
        f"{image} ({platform}): the build failed{step}{tail}\n  {failed.error}\n"
        f"  Remedy: {remedy(failed)}\n  Nothing refers to this image: the lock is unchanged"
    )


def reason(output: str) -> str:
    """The error and the remedy of a failed push or copy."""
    failed = failure(output)
    return f"{failed.error}\n  Remedy: {remedy(failed)}"


def failure(output: str) -> Failure:
    """The step that failed, its output without numbers and times, and buildx's last error."""
    lines = output.splitlines()
    finals = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    error = re.sub(r"^(failed to build: )?(failed to solve: )?", "", finals[-1] if finals else "")
    # Steps that ran at the same time are CANCELED, with an error of their own.
    failed = [
        match[1]
        for line in lines
        if (match := re.match(r"#(\d+) ERROR: (?!.*context canceled)", line))
    ]
    if not failed:
        return Failure("", error or "buildx gave no reason", tuple(filter(str.strip, lines)))
    of_step = [
        line.removeprefix(f"#{failed[-1]} ") for line in lines if line.startswith(f"#{failed[-1]} ")
    ]
    # The first line is the step's name; it is repeated where several steps take turns.
    step = of_step[0]
    printed = [re.sub(r"^\d+\.\d+ ", "", line) for line in of_step if re.match(r"\d+\.\d+ ", line)]
    if not printed:
        printed = [line for line in of_step[1:] if line != step and not line.startswith("ERROR: ")]
    return Failure(step, error, tuple(filter(str.strip, printed)))


def remedy(failed: Failure) -> str:
    """What to do about a failure."""
    ran = "did not complete successfully" in failed.error
    text = "\n".join((failed.error, *(failed.lines if ran else ())))
    table = IN_STEP if ran else AT_REGISTRY
    return next(advice for pattern, advice in table if re.search(pattern, text))
