"""Command line of the embedded cluster: `python -m sandbox <command>`."""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import sys

from . import components, lifecycle, paths, status, toolchain
from .errors import SandboxError
from .progress import Progress


def main() -> int:
    """Runs one command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="start all that does not run")
    commands.add_parser("down", help="stop everything, keep the data")
    commands.add_parser("delete", help="stop everything and delete the data")
    commands.add_parser("status", help="show processes, node, volumes and addresses")
    commands.add_parser("env", help="print the shell variables that lead to the sandbox")
    known = [*toolchain.FAMILIES, *toolchain.CHECKS]
    build = commands.add_parser("toolchain", help="build the tools only; prints where they are")
    build.add_argument("families", nargs="*", metavar="TOOL", help=", ".join(known))
    arguments = parser.parse_args()
    progress = Progress()
    try:
        code = _run(arguments, progress)
        sys.stdout.flush()
        return code
    except SandboxError as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # `status | head`: nobody reads the rest, which Python would try to write once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except KeyboardInterrupt:
        print("\nsandbox: interrupted; run it again to go on", file=sys.stderr)
        return 130


def _run(arguments: argparse.Namespace, progress: Progress) -> int:
    match arguments.command:
        case "up":
            lifecycle.up(progress)
            if not status.report():
                raise SandboxError(
                    f"not all is well, see above. Remedy: run `up` again; if that does not "
                    f"help, the logs are in {paths.LOGS}"
                )
            progress("sandbox is up")
        case "down":
            lifecycle.down(progress)
            print(
                f"kept: {paths.STATE} (the cluster's data, volumes, registry, images).\n"
                f"`python -m sandbox delete` deletes it, "
                f"`rm -r {paths.TOOLCHAIN}` the built tools."
            )
        case "delete":
            lifecycle.delete(progress)
            print(f"deleted: {paths.STATE}")
        case "status":
            lifecycle.require_root()
            return 0 if status.report() else 1
        case "env":
            print(_environment())
        case "toolchain":
            families = arguments.families or toolchain.FAMILIES
            toolchain.ensure(families, progress)
            print(os.pathsep.join(str(toolchain.bin_directory(name)) for name in families))
    return 0


def _environment() -> str:
    variables = {
        "KUBECONFIG": str(paths.KUBECONFIG),
        "PATH": components.search_path(),
        "BUILDX_CONFIG": str(paths.BUILDX),
        "SSL_CERT_FILE": str(paths.CA_BUNDLE),
        # The stack's state lies here, readable by root alone, so a passphrase adds nothing to it.
        "PULUMI_BACKEND_URL": f"file://{paths.PULUMI}",
        "PULUMI_CONFIG_PASSPHRASE": "sandbox",
        **components.no_proxy(),
        # For commands that the program prints, which are pasted into a shell without these.
        "SANDBOX_SHELL": 'eval "$(make -s sandbox-env)"',
    }
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in variables.items())


if __name__ == "__main__":
    sys.exit(main())
