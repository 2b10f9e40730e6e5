"""The documentation: links, files, targets, values and objects exist, and commands run.

Blocks marked `sh test` run in a copy of the checkout without a cluster, those marked `sh test
pulumi` with a state of their own where the Pulumi CLI is on PATH. All others are only parsed.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from . import docs
from .docs import ROOT, Page

PAGES = docs.pages()
CODE = [code for page in PAGES for code in page.code()]
BLOCKS = [code for code in CODE if code.info is not None]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
CLUSTERS = [page for page in PAGES if page.path.startswith("docs/clusters/")]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What a commit of this checkout would hold."""
    target = tmp_path / "clone"
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name, follow_symlinks=False)
    return target


def run(*command: str, cwd: Path, text: str = "", **variables: str) -> None:
    """Run a command; a failure shows its output."""
    done = subprocess.run(
        command, cwd=cwd, input=text, text=True, check=False, env={**os.environ, **variables},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}"


def scripts(info: str) -> dict[str, str]:
    """For each page its blocks of that kind, as one script."""
    found = {
        page.path: "\n".join(block.text for block in page.blocks() if block.info == info)
        for page in PAGES
    }
    return {path: script for path, script in found.items() if script}


def test_links_and_paths() -> None:
    assert [problem for page in PAGES for problem in docs.links(page)] == []
    assert [problem for page in PAGES for problem in docs.paths(page)] == []


def test_every_block_names_its_language() -> None:
    languages = {"sh", "yaml", "json", "python", "sql", "text"}
    assert [block.where for block in BLOCKS if block.language not in languages] == []


def test_make_has_the_targets_and_variables() -> None:
    assert list(docs.make(CODE, MAKEFILE)) == []


def test_every_target_is_documented() -> None:
    assert list(docs.undocumented(CODE, MAKEFILE)) == []
    assert list(docs.undocumented(CODE, f"{MAKEFILE}\nsecret-target:  ## nobody knows\n"))


def shellcheck(blocks: list[docs.Code], folder: Path) -> subprocess.CompletedProcess[str]:
    files = []
    for block in blocks:
        files.append(re.sub(r"[/:]", "-", block.where) + ".sh")
        (folder / files[-1]).write_text(block.text, encoding="utf-8")
    # A block is a part: its variables may be set or used in others, and a failed cd is seen.
    call = ["shellcheck", "--shell=bash", "--severity=warning", "--exclude=SC2034,SC2154,SC2164"]
    path = f"{ROOT / '.venv/bin'}:{os.environ['PATH']}"
    return subprocess.run(
        [*call, *files], cwd=folder, env={**os.environ, "PATH": path}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip


def test_shellcheck_finds_no_mistake(tmp_path: Path) -> None:
    done = shellcheck([block for block in BLOCKS if block.language == "sh"], tmp_path)
    assert done.returncode == 0, done.stdout


def test_kubectl_has_a_namespace() -> None:
    assert list(docs.namespaces(CODE)) == []


def test_yaml_is_what_it_claims_to_be(tmp_path: Path) -> None:
    yamls = [block for block in BLOCKS if block.language == "yaml"]
    assert [problem for block in yamls for problem in docs.yaml_block(block, tmp_path)] == []


def test_json_and_trust() -> None:
    assert [problem for code in CODE for problem in docs.trust(code)] == []


@pytest.mark.parametrize("page", scripts("sh test"))
def test_what_needs_no_cluster_runs(page: str, clone: Path) -> None:
    run("bash", "-euc", scripts("sh test")[page], cwd=clone)


@pytest.mark.pulumi
@pytest.mark.parametrize("page", scripts("sh test pulumi"))
def test_pulumi_runs(page: str, clone: Path, tmp_path: Path) -> None:
    script = scripts("sh test pulumi")[page]
    assert "file:///srv/pulumi" in script
    (tmp_path / "state").mkdir()
    variables = {
        "PULUMI_CONFIG_PASSPHRASE": "of a test",
        "PULUMI_CREDENTIALS_PATH": str(tmp_path),
        "PULUMI_SKIP_CONFIRMATIONS": "true",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
    script = script.replace("/srv/pulumi", f"{tmp_path}/state")
    run("bash", "-euc", script, cwd=clone, text="hunter2\n", **variables)
    assert not [file for file in clone.glob("Pulumi*.yaml") if "hunter2" in file.read_text()]


@pytest.mark.parametrize("page", CLUSTERS, ids=lambda page: Path(page.path).stem)
def test_a_cluster_s_values_comply_with_the_policies(page: Page, clone: Path) -> None:
    blocks = list(page.blocks("yaml"))
    classes = {one["metadata"]["name"] for block in blocks for one in docs.objects(block.text)}
    assert set(re.findall(r"storageClass: ([\w-]+)", page.text)) <= classes | {"local-path"}
    values = {label[1]: block.text for block in blocks if (label := docs.VALUES.match(block.text))}
    assert set(values) == {"dev", "prod"}
    for environment, text in values.items():
        (clone / f"values/{environment}.yaml").write_text(text, encoding="utf-8")
    run("make", "policies", cwd=clone)


PLANTED = {
    "shell": "```sh\nfor x in a; do echo\n```",
    "make target": "```sh\nmake upp ENV=dev\n```",
    "make variable": "Run `make up ENVIRONMENT=dev`.",
    "kubectl namespace": "`kubectl port-forward service/airflow-web 8080`",
    "values key": "```yaml\n# values/dev.yaml\nlogs: {claim: {storagClass: x}}\n```",
    "field of common.yaml": "```yaml\n# values/dev.yaml\nairflow: {executor: LocalExecutor}\n```",
    "value of common.yaml": "```yaml\n# values/dev.yaml\nimages: {build: false}\n```",
    "common values": "```yaml\n# values/common.yaml\ndatabase: {backup: {keep: many}}\n```",
    "no label": "```yaml\ndatabase: {backup: {keep: 3}}\n```",
    "waiver": "```yaml\n# policies.yaml\nwaivers: [{rule: x}]\n```",
    "task image": "```yaml\n# images/tasks/x/image.yaml\nbase: woody\n```",
    "object": "```yaml\napiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: x}\n"
    "provisioner: x\nmountOption: [tls]\n```",
    "json": '```json\n{"Version": }\n```',
    "trust of pull requests": '```json\n{"subject": "repo:example/data:pull_request"}\n```',
    "trust of everything": '```json\n{"StringLike": {"x:sub": "repo:example/data:*"}}\n```',
    "variable of CI": "```sh\ngh variable set CLUSTER --body '{cloud: aws}'\n```",
    "link": "See [there](docs/nowhere.md).",
    "anchor": "See [there](docs/backup.md#nowhere).",
    "path": "Edit `infra/airflow_kubernetes/nowhere.py`.",
}


@pytest.mark.parametrize("text", PLANTED.values(), ids=PLANTED.keys())
def test_the_checks_can_fail(text: str, tmp_path: Path) -> None:
    page = Page("README.md", f"\n{text}\n")
    code = list(page.code())
    problems = [
        *docs.links(page),
        *docs.paths(page),
        *docs.make(code, MAKEFILE),
        *docs.namespaces(code),
        *(problem for block in page.blocks("yaml") for problem in docs.yaml_block(block, tmp_path)),
        *(problem for one in code for problem in docs.trust(one)),
    ]
    shells = list(page.blocks("sh"))
    assert problems or shellcheck(shells, tmp_path).returncode
