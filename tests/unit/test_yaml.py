"""Whatever is written as YAML is read, or refused by file, line, key and remedy, at once."""

import os
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from airflow_kubernetes.airflow import image_catalog
from airflow_kubernetes.environment import load
from airflow_kubernetes.errors import UserError
from airflow_kubernetes.images import lock, specs, tasks
from airflow_kubernetes.paths import ROOT
from airflow_kubernetes.policies import waivers
from airflow_kubernetes.report import stack_config
from airflow_kubernetes.settings import document, stack_file
from airflow_kubernetes.settings.load import VALUES, environments
from airflow_kubernetes.settings.problems import SettingsError

from . import bad_yaml
from .bad_yaml import DIGEST, NINES, PYTHON, STRUCTURE, Bad

MOMENT = 10.0
"""Seconds of CPU time. Each takes some milliseconds; what expands would take minutes."""


@pytest.fixture
def values(tmp_path: Path) -> Path:
    return Path(shutil.copytree(VALUES, tmp_path / "values"))


def lines_of(read: Callable[[], object]) -> list[str]:
    """The problems of a refusal; none if it is read."""
    started = time.process_time()
    try:
        read()
        return []
    except UserError as error:
        lines = str(error).splitlines()[1:]
    finally:
        assert time.process_time() - started < MOMENT
    assert all(line.isprintable() and line.startswith("  ") and len(line) < 1000 for line in lines)
    return [line.removeprefix("  ") for line in lines]


def missed(
    table: list[Bad], file: Path, shown: str, read: Callable[[], object]
) -> Iterator[tuple[str, list[str]]]:
    """The texts that are not refused by exactly their problems in this order."""
    for bad in table:
        file.write_text(bad.text, newline="")
        found = lines_of(read)
        expected = [f"{shown}:{problem}" for problem in bad.problems]
        some = found[: len(expected)] if bad.text == bad_yaml.LAUGHS else found
        right = len(some) == len(expected) and all(map(str.startswith, some, expected))
        python = [word for word in PYTHON if word in "".join(found) and word not in bad.text]
        if not right or python:
            yield bad.text[:80], found[:5]


def test_wrong_values_are_refused_in_the_words_of_the_file(values: Path) -> None:
    file = values / "dev.yaml"
    table = [*STRUCTURE, *bad_yaml.VALUES]
    assert not [*missed(table, file, "values/dev.yaml", lambda: load("dev", "", values))]


def test_common_values_are_refused_likewise(values: Path) -> None:
    file = values / "common.yaml"
    usual = file.read_text()
    wrong = []
    for old, new, message in bad_yaml.COMMON:
        line = usual[: usual.index(old)].count("\n") + 1
        file.write_text(usual.replace(old, new))
        found = lines_of(lambda: load("dev", "", values))
        wrong += [found] if found != [f"values/common.yaml:{line}: {message}"] else []
    assert not wrong


def test_an_empty_or_missing_section_of_common_is_one_problem(values: Path) -> None:
    file = values / "common.yaml"
    usual = file.read_text()
    start, end = usual.index("airflow:\n"), usual.index("database:\n")
    line = usual[:start].count("\n") + 1
    for text, problem in {
        "airflow:\n": f"{line}: airflow: {bad_yaml.REQUIRED}",
        "airflow: 3\n": f"{line}: airflow: {bad_yaml.SECTION}3",
        "": "1: airflow: missing; values/common.yaml holds every setting",
    }.items():
        file.write_text(f"{usual[:start]}{text}{usual[end:]}")
        (values / "dev.yaml").write_text("airflow: {parallelism: 3}\n")
        found = lines_of(lambda: load("dev", "", values))
        assert found == [f"values/common.yaml:{problem}"]


def test_wrong_overrides_are_refused(values: Path) -> None:
    wrong = []
    for text, message in bad_yaml.SET.items():
        found = lines_of(lambda: load("dev", text, values))  # noqa: B023
        if not any(line.startswith(f"SET: {message}") for line in found):
            wrong.append((text[:80], found))
    assert not wrong


MANY = {
    "until:\n": "  airflow.parallelism{}: 2026-11-30\n",
    "airflow:\n": "  parallelism{}: 1\n",
    "airflow: {celery: {workers:\n": "  {{a{}: {{}}}},\n",
    "images:\n  registry: h.io/\n": "# {}\n",
    "airflow: {tasks: {tolerations: [\n": "  {{}},  # {}\n",
    "airflow: {tasks: {nodeSelector: {\n": "  a{}: yes,\n",
}
"""The beginning of a file, and a line that it has thousands of times."""


def test_thousands_of_problems_take_no_longer_than_one(values: Path) -> None:
    file = values / "dev.yaml"
    for head, line in MANY.items():
        body = "".join(map(line.format, range(2000)))
        file.write_text(f"{head}{body}{']' * head.count('[')}{'}' * head.count('{')}\n")
        assert 1 <= len(lines_of(lambda: load("dev", "", values))) <= 2 * document.ENOUGH, head
    many = " ".join(f"a{number}.b=1" for number in range(5000))
    assert 1 <= len(lines_of(lambda: load("dev", many, values))) <= document.ENOUGH
    options = ",".join(f'"max_active_runs{number}":1' for number in range(4000))
    many = f'airflow.configuration={{"core":{{{options}}}}}'
    assert 1 <= len(lines_of(lambda: load("dev", many, values))) <= document.ENOUGH


def test_a_file_that_cannot_be_read_does_not_hide_what_is_wrong_in_common(values: Path) -> None:
    file = values / "common.yaml"
    file.write_text(file.read_text().replace("parallelism: 32", "parallelism: many"))
    (values / "dev.yaml").write_text("airflow: [\n")
    found = lines_of(lambda: load("dev", "namespace", values))
    assert [line.partition(":")[0] for line in found] == [
        "SET", "values/common.yaml", "values/dev.yaml"
    ]  # fmt: skip


def test_files_that_no_command_could_name_are_refused(values: Path) -> None:
    names = {
        "staging.yml": "is not read: rename it to staging.yaml",
        "Staging.YAML": "is not read: rename it to Staging.yaml",
        "a b.yaml": "should have a name of letters, digits, -, _ and .",
        "--help.yaml": "should have a name of letters",
        "a\x1b.yaml": "should have a name of letters",
    }
    for name in names:
        (values / name).touch()
    for name in ("README.md", ".dev.yml", "eu_1.prod.yaml"):
        (values / name).touch()
    found = lines_of(lambda: load("dev", "", values))
    assert len(found) == len(names)
    for name, message in names.items():
        shown = name.replace("\x1b", "\\x1b")
        assert any(line.startswith(f"values/{shown}: {message}") for line in found), name


def test_a_wrong_lock_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "images.lock.yaml"
    table = [*STRUCTURE, *bad_yaml.LOCK]
    assert not [*missed(table, file, str(file), lambda: lock.read(file))]


def test_a_wrong_stack_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.dev.yaml"
    table = [*STRUCTURE, *bad_yaml.STACK]
    assert not [*missed(table, file, file.name, lambda: stack_file.read("dev", tmp_path))]


def test_a_report_shows_a_stack_file_as_it_is_written() -> None:
    before, after = "config: {a:b: yes, a:c: 010}\n", "config: {a:b: 2026-11-30, a:c: 1:30}\n"
    found = stack_config.changed(before, after)
    assert [(entry.old, entry.new) for entry in found] == [("yes", "2026-11-30"), ("010", "1:30")]
    for text in ("config: x\n", "- a\n", "config: &a {b: *a}\n"):
        (entry,) = stack_config.changed("", text)
        assert "no configuration of a stack" in entry.path


def test_wrong_waivers_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "policies.yaml"
    table = [*STRUCTURE, *bad_yaml.POLICIES]
    rules, names = ["image-digest"], ["dev"]
    assert not [*missed(table, file, file.name, lambda: waivers.load(rules, names, file))]


def test_a_wrong_image_yaml_is_refused(tmp_path: Path) -> None:
    settings = load("dev")
    file = tmp_path / "images" / "tasks" / "a" / "image.yaml"
    file.parent.mkdir(parents=True)
    table = [*STRUCTURE, *bad_yaml.IMAGE]
    shown = "images/tasks/a/image.yaml"
    assert not [*missed(table, file, shown, lambda: tasks.specs(settings, tmp_path))]


def test_what_is_no_text_is_refused_by_name(values: Path) -> None:
    file = values / "dev.yaml"
    wrong = []
    for content, message in bad_yaml.BYTES.items():
        file.write_bytes(content)
        (found,) = lines_of(lambda: load("dev", "", values))
        separator = ":" if message[0].isdigit() else ": "
        wrong += [found] if not found.startswith(f"values/dev.yaml{separator}{message}") else []
    assert not wrong


def test_what_is_no_file_is_refused_by_name(values: Path) -> None:
    file = values / "dev.yaml"
    with socket.socket(socket.AF_UNIX) as server:
        made: dict[str, Callable[[], object]] = {
            "is a folder, and should be a file": file.mkdir,
            "is a device, pipe or socket, and should be a file": lambda: os.mkfifo(file),
            "is a device, pipe or socket, and": lambda: file.symlink_to("/dev/zero"),
            "is a device, pipe or": lambda: server.bind(os.path.relpath(file)),
            "cannot be read: Too many levels of symbolic links": lambda: file.symlink_to(file),
            "no such file": lambda: file.symlink_to("nowhere"),
        }
        for message, make in made.items():
            file.rmdir() if file.is_dir() else file.unlink()
            make()
            (found,) = lines_of(lambda: load("dev", "", values))
            assert found.startswith(f"values/dev.yaml: {message}")


def test_a_file_that_may_not_be_read_is_refused(
    values: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> bytes:  # root, who runs the tests, may read everything
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    found = lines_of(lambda: load("dev", "", values))
    assert "values/dev.yaml: cannot be read: Permission denied" in found


def test_what_is_good_is_read(values: Path) -> None:
    (values / ".#dev.yaml").symlink_to("an editor's lock")
    assert environments(values) == ["dev", "prod", "sandbox"]
    for text in (
        "", "\n", "# é\n", "---\n", "%YAML 1.1\n---\n", "---\nimages: {build: true}\n...\n",
        "images:\r\n  build: true\r\n", "images: {build: TRUE}\n", '"images": {"build": false}\n',
        "airflow: {\n\tparallelism: 0x10}\n", "images:\n  'registry': >-\n    a.example/b\n",
        "airflow: {parallelism: +3}\n",
    ):  # fmt: skip
        (values / "dev.yaml").write_text(text, newline="")
        assert load("dev", "", values).namespace == "airflow", text


def test_what_is_written_is_read_as_the_same() -> None:
    # fmt: off
    texts = ["0123456789012345", "12345678901234e5", "yes", "y", "010", "1:30", "1_0", "~", "",
             "2026-99-99", "2026-11-30", "a: b", "- a", "# a", ".inf", NINES, "true", "a\nb", "é"]
    # fmt: on
    data = {text: text for text in texts if text and "\n" not in text} | {"list": texts}
    assert document.parse(document.dump(data), "x").data == data


def test_a_tag_of_digits_comes_back_from_the_lock(tmp_path: Path) -> None:
    file = tmp_path / "images.lock.yaml"
    entries = {
        f"image-{tag}": lock.Entry(tag, DIGEST)
        for tag in ("0123456789012345", "1234567890123456", "12345678901234e5", "1e99999999999999")
    }
    lock.update(file, entries)
    assert lock.read(file).images == entries


@contextmanager
def refusal() -> Iterator[list[str]]:
    found: list[str] = []
    with pytest.raises(SettingsError) as error:
        yield found
    found += [str(problem) for problem in error.value.problems]


def test_links_in_the_files_of_an_image_are_followed_inside_of_their_tree(tmp_path: Path) -> None:
    dags = tmp_path / "dags"
    (dags / "team" / "lib").mkdir(parents=True)
    (dags / "lib").mkdir()
    (dags / "lib" / "a.py").touch()
    (dags / "team" / "lib" / "b.py").symlink_to("../../lib/a.py")
    (dags / "team" / "more").symlink_to("../lib")
    assert specs.below(dags) == ["lib/a.py", "team/lib/b.py", "team/more/a.py"]
    assert specs.below(dags / "team", dags) == ["lib/b.py", "more/a.py"]
    links = {
        "team/itself": ("itself", "dags/team/itself: is a link to itself, which does not exist"),
        "team/nowhere": ("x", "dags/team/nowhere: is a link to x, which does not exist: remove"),
        "team/up": ("..", "dags/team/up: is a link to .., which contains it: remove it"),
        "team/here": (".", "dags/team/here: is a link to ., which contains it: remove it"),
        "lib/out": ("/etc/hosts", "dags/lib/out: is a link out of dags/, to /etc/hosts: put a"),
        "team/lib/out": (
            str(tmp_path),
            "dags/team/lib/out: is a link out of dags/, to /",
        ),
    }
    for name, (target, _) in links.items():
        (dags / name).symlink_to(target)
    with refusal() as found:
        specs.below(dags)
    for _, message in links.values():
        assert any(line.startswith(message) for line in found), (message, found)


def test_folders_that_link_to_each_other_are_refused(tmp_path: Path) -> None:
    for one, other in ("ab", "ba"):
        (tmp_path / one).mkdir()
        (tmp_path / one / "x").symlink_to(f"../{other}")
    with refusal() as found:
        specs.below(tmp_path)
    assert len(found) == 2
    assert all("which contains it" in line for line in found)


def test_wrong_files_of_images_are_refused_when_the_values_are_checked(tmp_path: Path) -> None:
    for folder in ("images", "dags"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    (tmp_path / "dags" / "loop").symlink_to(".")
    settings = load("dev")
    with refusal() as found:
        image_catalog.every(settings, tmp_path)
    assert found == ["dags/loop: is a link to ., which contains it: remove it"]
    shutil.rmtree(tmp_path / "dags")
    (tmp_path / "dags").touch()
    with refusal() as found:
        image_catalog.every(settings, tmp_path)
    assert found == ["dags: is a file, and should be a folder: rename or remove it"]
    (tmp_path / "dags").unlink()
    (tmp_path / "images" / "tasks" / "chart" / "secret").symlink_to("/etc/passwd")
    (tmp_path / "images" / "tasks" / "other").symlink_to(tmp_path)
    with refusal() as found:
        image_catalog.every(settings, tmp_path)
    assert [line.partition(":")[0] for line in found] == [
        "images/tasks/chart/secret", "images/tasks/other"
    ]  # fmt: skip


def test_a_file_without_a_readable_name_is_refused(tmp_path: Path) -> None:
    for name in (b"a\x1b[31m.py", b"\xff.py", "a\u202e.py".encode()):
        file = os.fsencode(tmp_path) + b"/" + name
        Path(os.fsdecode(file)).touch()
        with refusal() as found:
            specs.below(tmp_path)
        assert "cannot be seen: rename it" in found[0]
        assert found[0].isprintable()
        Path(os.fsdecode(file)).unlink()
