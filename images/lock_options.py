"""Write the options of airflow.cfg that each Airflow release has, for the check of the values.

One file per release, ``airflow/locks/<release>-options.json``, from the packages that its lock
pins: Airflow's ``config.yml``, the ``config`` of each provider's ``get_provider_info``, the
deprecated names of ``AirflowConfigParser`` and the changes of ``airflow config lint``. Nothing of
these packages is imported or run, except for ``get_provider_info``, which returns a literal.

A file has:

- ``packages``: the Airflow packages that it was read from, with their versions;
- ``options``: by section and name the ``type`` (string, integer, float, boolean, json or import),
  for some the only ``values``, for numbers the ``default``, and ``sensitive`` for those that may
  also be given as ``<option>_cmd`` and ``<option>_secret``;
- ``moved``: where an option of earlier releases is now, or a sentence about what came of it.
"""

import ast
import json
import re
import runpy
import subprocess
import sys
from collections.abc import Container, Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from airflow_kubernetes.airflow.releases import RELEASES
from lock import LOCKS

Key = tuple[str, str]
"""Section and option."""

# How Airflow reads an option says more than its description, which calls many numbers a string.
READERS = {
    "getint": "integer",
    "gettimedelta": "integer",
    "getfloat": "float",
    "getboolean": "boolean",
    "getjson": "json",
    "getimport": "import",
}

# Values that only the descriptions list (enums_options of Airflow's parser has the others), and
# types of options that no literal call reads.
START_METHODS = ["fork", "forkserver", "spawn"]
SESSIONS = ["database", "securecookie"]
SAME_SITE = ["", "None", "Lax", "Strict"]
DESCRIBED_TYPES = {
    "database.sql_alchemy_connect_args": "import",
    "database.sql_alchemy_connect_args_async": "import",
    "kubernetes_executor.delete_option_kwargs": "json",
    "kubernetes_executor.delete_worker_pods": "boolean",
    "kubernetes_executor.delete_worker_pods_on_failure": "boolean",
    "kubernetes_executor.kube_client_request_args": "json",
    "logging.delete_local_logs": "boolean",
    "logging.log_formatter_class": "import",
    "logging.logging_config_class": "import",
    "secrets.backend_kwargs": "json",
    "webserver.web_server_worker_timeout": "integer",
    "workers.secrets_backend": "import",
    "workers.secrets_backend_kwargs": "json",
    "workers.state_store_backend": "import",
}
DESCRIBED_VALUES = {
    "api.expose_stacktrace": ["True", "False"],
    "api.server_type": ["uvicorn", "gunicorn"],
    "api.ssl_cert_reqs": ["none", "optional", "required"],
    "celery.mp_start_method": START_METHODS,
    "celery.pool": ["prefork", "eventlet", "gevent", "solo"],
    "core.default_task_weight_rule": ["downstream", "upstream", "absolute"],
    "core.mp_start_method": START_METHODS,
    "core.security": ["", "kerberos"],
    # Read without regard to case.
    "core.test_connection": [
        *("Disabled", "Enabled", "Hidden"),
        *("disabled", "enabled", "hidden"),
    ],
    "dag_processor.dag_version_inflation_check_level": ["off", "warning", "error"],
    "email.ssl_context": ["default", "none"],
    "execution_api.otel_trace_propagation": ["only-authenticated", "unsafe-always", "never"],
    "fab.cookie_samesite": SAME_SITE,
    "fab.session_backend": SESSIONS,
    "imap.ssl_context": ["default", "none"],
    "logging.dag_processor_log_target": ["file", "stdout"],
    "standard.venv_install_method": ["auto", "pip", "uv"],
    "webserver.analytics_tool": ["google_analytics", "matomo", "metarouter", "segment"],
    "webserver.caching_hash_method": ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"],
    "webserver.cookie_samesite": SAME_SITE,
    "webserver.dag_default_view": ["grid", "graph", "duration", "gantt", "landing_times"],
    "webserver.dag_orientation": ["LR", "TB", "RL", "BT"],
    "webserver.grid_view_sorting_order": ["topological", "hierarchical_alphabetical"],
    "webserver.session_backend": SESSIONS,
    "webserver.worker_class": ["sync", "eventlet", "gevent"],
}


def pinned(lock: str) -> dict[str, str]:
    """The Airflow packages of a lock's text, with their versions."""
    return dict(re.findall(r"^(apache-airflow[a-z0-9-]*)==(\S+)", lock, re.MULTILINE))


def install(lock: str, folder: Path) -> Path:
    """Unpack the lock's Airflow packages, without others; return the folder of `airflow`.

    Raises SystemExit if uv fails.
    """
    wanted = re.findall(
        r"^apache-airflow[a-z0-9-]*==\S+ (?:\\\n    --hash=\S+ ?)+", lock, re.MULTILINE
    )
    requirements = folder / "requirements.txt"
    requirements.write_text("\n".join(wanted))
    command = ["uv", "pip", "install", "--quiet", "--python", sys.executable, "--no-deps"]
    command += ["--require-hashes", "--target", str(folder), "--requirement", str(requirements)]
    try:
        subprocess.run(command, check=True)
    except subprocess.CalledProcessError as error:
        raise SystemExit("uv pip install failed, see above") from error
    return folder / "airflow"


def described(airflow: Path) -> dict[Key, dict[str, Any]]:
    """The description of each option; Airflow's own takes precedence over a provider's."""
    sections = [yaml.safe_load((airflow / "config_templates" / "config.yml").read_text())]
    for file in sorted(airflow.glob("providers/**/get_provider_info.py")):
        sections.append(runpy.run_path(str(file))["get_provider_info"]().get("config") or {})
    return {
        (section, option): description
        for config in reversed(sections)
        for section, content in config.items()
        for option, description in content["options"].items()
    }


def readers(airflow: Path) -> dict[Key, set[str]]:
    """The methods of the parser by which the packages read each option that they name."""
    found: dict[Key, set[str]] = {}
    for file in airflow.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            named = {item.arg: item.value for item in node.keywords}
            first, second = [*node.args, None, None][:2]
            names = [first or named.get("section"), second or named.get("key")]
            match names:
                case [ast.Constant(str(section)), ast.Constant(str(option))]:
                    found.setdefault((section.lower(), option.lower()), set()).add(node.func.attr)
    return found


def kind(description: dict[str, Any], methods: set[str]) -> str:
    """The type of an option: the strictest by which it is read, else the described one."""
    types = {READERS[method] for method in methods & {*READERS}}
    # Some options take a word besides true and false, such as api.expose_config.
    if "get" in methods and description["type"] != "boolean":
        types.discard("boolean")
    order = ("integer", "float", "boolean", "json", "import")
    return next((each for each in order if each in types), description["type"])


def allowed(airflow: Path) -> dict[str, list[str]]:
    """The values of the options that take no others."""
    names: dict[str, ast.expr] = {}
    for node in ast.walk(ast.parse((airflow / "configuration.py").read_text())):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            names[node.targets[0].id] = node.value
    values = dict(DESCRIBED_VALUES)
    enums: Any = names["enums_options"]
    for key, node in zip(enums.keys, enums.values, strict=True):
        section, option = ast.literal_eval(key)
        texts = list(_texts(node, names))
        if texts:
            values[f"{section}.{option}"] = texts
    return values


def _texts(node: ast.expr, names: dict[str, ast.expr]) -> Iterator[str]:
    """The texts of a list; nothing for the result of a call."""
    match node:
        case ast.Constant(str(text)):
            yield text
        case ast.Starred(inner):
            yield from _texts(inner, names)
        case ast.Name(name):
            yield from _texts(names[name], names)
        case ast.List(items):
            for item in items:
                yield from _texts(item, names)


def moved(airflow: Path) -> Iterator[tuple[Key, Key | str]]:
    """Old names, with the new one or a sentence.

    Sources: `deprecated_options` of Airflow's parser, then CONFIGS_CHANGES of `airflow config`.
    """
    parsers = [airflow / "configuration.py", airflow / "_shared" / "configuration" / "parser.py"]
    for file in parsers:
        for node in ast.walk(ast.parse(file.read_text() if file.exists() else "")):
            match node:
                case ast.AnnAssign(ast.Name("deprecated_options"), _, value) if value:
                    for new, (section, option, _) in ast.literal_eval(value).items():
                        yield (section, option), new
                case ast.AnnAssign(ast.Name("many_to_one_deprecated_options"), _, value) if value:
                    for new, old in ast.literal_eval(value).items():
                        yield from (((section, option), new) for section, option, _ in old)
    changes = (airflow / "cli" / "commands" / "config_command.py").read_text()
    for node in ast.walk(ast.parse(changes)):
        match node:
            case ast.Call(ast.Name("ConfigChange"), _, keywords):
                change = {item.arg: item.value for item in keywords}
                if {*change} & {"default_change", "is_invalid_if", "remove_if_equals"}:
                    continue  # about a value: the option is still there
                new = change.get("renamed_to")
                text = change.get("suggestion", ast.Constant(""))
                yield _key(change["config"]), _key(new) if new else " ".join(_joined(text).split())


def places(known: Container[Key], moves: Iterable[tuple[Key, Key | str]]) -> dict[Key, str]:
    """By old name the option that there is now, at the end of its moves, or a sentence."""
    old: dict[Key, Key | str] = {}
    for key, new in moves:
        if key not in known and (key not in old or new in known):
            old[key] = new

    def last(new: Key | str) -> str:
        while isinstance(new, tuple) and new not in known:
            new = old.get(new, "")
        return new if isinstance(new, str) else ".".join(new)

    return {key: last(new) for key, new in sorted(old.items())}


def _key(parameter: Any) -> Key:
    """Section and option of a call of ConfigParameter."""
    values = [*parameter.args, *(item.value for item in parameter.keywords)]
    section, option = (ast.literal_eval(value) for value in values)
    return section, option


def _joined(node: ast.expr) -> str:
    """A text, without the parts of an f-string that are no text."""
    if isinstance(node, ast.JoinedStr):
        return "".join(_joined(part) for part in node.values)
    return node.value if isinstance(node, ast.Constant) else "…"


def options(lock: str) -> str:
    """The text of a release's file, from the text of its lock."""
    with TemporaryDirectory() as folder:
        airflow = install(lock, Path(folder))
        known, read, values = described(airflow), readers(airflow), allowed(airflow)
        old = places(known, moved(airflow))
    sections: dict[str, dict[str, str]] = {}
    for (section, option), description in sorted(known.items()):
        name = f"{section}.{option}"
        methods = read.get((section, option), set())
        entry: dict[str, Any] = {"type": DESCRIBED_TYPES.get(name) or kind(description, methods)}
        if name in values:
            entry["values"] = values[name]
        if entry["type"] in ("integer", "float") and description["default"]:
            entry["default"] = json.loads(str(description["default"]))
        if description.get("sensitive"):
            entry["sensitive"] = True
        sections.setdefault(section, {})[option] = _json(entry)
    parts = {
        "packages": _lines({name: _json(version) for name, version in pinned(lock).items()}, 2),
        "options": _lines({name: _lines(items, 3) for name, items in sections.items()}, 2),
        "moved": _lines({".".join(key): _json(new) for key, new in old.items()}, 2),
    }
    return f"{_lines(parts, 1)}\n"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _lines(items: dict[str, str], depth: int) -> str:
    """A JSON object with one line for each item, whose value is JSON already."""
    inner = ",\n".join(f"{' ' * depth}{_json(name)}: {value}" for name, value in items.items())
    return f"{{\n{inner}\n{' ' * (depth - 1)}}}"


def main() -> None:
    """Write every file, with a line of progress for each."""
    for number, (version, release) in enumerate(RELEASES.items(), start=1):
        lock = (LOCKS / f"{version}-py{release.pythons[0]}.txt").read_text()
        file = LOCKS / f"{version}-options.json"
        file.write_text(options(lock))
        print(f"[{number}/{len(RELEASES)}] {file.name}", flush=True)


if __name__ == "__main__":
    main()
