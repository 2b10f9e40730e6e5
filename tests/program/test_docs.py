"""The documentation: what it says to type is typed, where that can be, and the rest is parsed.

Nothing here needs a cluster. Programs that are not on PATH are skipped, and it says so.
"""

import json
import os
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from sandbox import toolchain

from . import docs_checks as checks
from .docs_pages import ROOT, Block, Command, Page, blocks, commands, pages, parse

PAGES = pages()
BLOCKS = [block for page in PAGES for block in blocks(page)]
COMMANDS = [command for page in PAGES for command in commands(page)]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")

CLOUDS = ("aws", "az", "eksctl", "gcloud", "kubelogin", "gh")
"""Programs that do nothing without an account."""
OURS = ("make", "pulumi", "kubectl")
OTHERS = {
    "apt-get", "base64", "cat", "curl", "docker", "echo", "git", "grep", "jq", "mkdir", "python",
    "rm", "sh", "sha256sum", "sleep", "systemctl", "ctr", "airflow", "eval", "go", "read",
    ".github/kind/up.sh", ".venv/bin/pytest",
}  # fmt: skip
"""Programs of the system, and of other machines than this one: their blocks are parsed."""

OFFLINE = ("help", "env", "parity", "policies", "render")
"""Targets that need no cluster, no Docker and little time."""
LOCAL = (
    ("config", "set"), ("stack", "init"), ("stack", "export"), ("stack", "rm"),
    ("state", "unprotect"), ("login",),
)  # fmt: skip
"""Commands of Pulumi that need a state only."""


def of(program: str) -> list[Command]:
    """The documented calls of one program."""
    return [command for command in COMMANDS if command.words[0] == program]


def kubectl() -> str:
    """The sandbox's kubectl, else the one on PATH."""
    pinned = toolchain.bin_directory("kubernetes") / "kubectl"
    found = str(pinned) if pinned.exists() else shutil.which("kubectl")
    return found or pytest.skip("no kubectl: neither built by the sandbox nor on PATH")


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a commit of this checkout would hold."""
    target = tmp_path_factory.mktemp("clone")
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name, follow_symlinks=False)
    return target


def run(*command: str, cwd: Path, text: str = "", **variables: str) -> str:
    """A command's output; a failure shows it."""
    done = subprocess.run(
        command, cwd=cwd, input=text, text=True, check=False, env={**os.environ, **variables},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}"
    return done.stdout


def test_every_shell_block_is_shell() -> None:
    assert list(checks.shell(block for block in BLOCKS if block.language == "sh")) == []


def test_shellcheck_finds_no_mistake(tmp_path: Path) -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not on PATH")
    for number, block in enumerate(block for block in BLOCKS if block.language == "sh"):
        # A block is a part: variables are set in others, and cd's failure is seen.
        name = f"{number}-{block.where.replace('/', '-').replace(':', '-')}.sh"
        (tmp_path / name).write_text(block.text, encoding="utf-8")
    call = ("shellcheck", "--shell=bash", "--severity=warning", "--exclude=SC2034,SC2154,SC2164")
    run(*call, *sorted(file.name for file in tmp_path.iterdir()), cwd=tmp_path)


def test_every_program_is_known() -> None:
    unknown = [str(one) for one in COMMANDS if one.words[0] not in {*OURS, *CLOUDS, *OTHERS}]
    assert unknown == []


def test_every_language_is_known() -> None:
    languages = {"sh", "yaml", "json", "python", "sql", ""}
    assert [block.where for block in BLOCKS if block.language not in languages] == []


def test_make_has_the_targets_and_variables() -> None:
    assert list(checks.make(of("make"), MAKEFILE)) == []


def test_every_target_is_documented() -> None:
    assert list(checks.undocumented(PAGES, MAKEFILE)) == []


def test_make_accepts_them(clone: Path) -> None:
    for words in sorted({one.words[1:] for one in of("make")}):
        run("make", "--dry-run", *words, cwd=clone)


def test_what_needs_no_cluster_runs(clone: Path) -> None:
    """Of each target the call that says most; in this order, so that what is made is there."""
    for target in OFFLINE:
        calls = sorted(one.words for one in of("make") if target in one.words)
        if calls:
            run(*max(calls, key=lambda words: (len(words), words)), cwd=clone)


def test_pulumi_knows_the_options() -> None:
    if shutil.which("pulumi") is None:
        pytest.skip(f"the Pulumi CLI is not on PATH: {len(of('pulumi'))} commands not tried")
    assert list(checks.options(_complete(of("pulumi")), "pulumi", ("--help",))) == []


def test_pulumi_keeps_stacks_as_documented(tmp_path: Path) -> None:
    """In the order of a first deployment: a state, a stack, its configuration, the end of it."""
    if shutil.which("pulumi") is None:
        pytest.skip(f"the Pulumi CLI is not on PATH: {len(of('pulumi'))} commands not tried")
    state, project = tmp_path / "state", tmp_path / "project"
    state.mkdir()
    project.mkdir()
    for file in ROOT.glob("Pulumi*.yaml"):
        shutil.copy(file, project)
    variables = {
        "PULUMI_BACKEND_URL": f"file://{state}",
        "PULUMI_CONFIG_PASSPHRASE": "of a test",
        "PULUMI_CREDENTIALS_PATH": str(tmp_path),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
    wanted = sorted({one.words for one in _complete(of("pulumi"))}, key=_place)
    made: set[str] = set()
    tried = 0
    for words in wanted:
        text = " ".join(words)
        if _place(words) == len(LOCAL) or any(cloud in text for cloud in ("kms:", "keyvault:")):
            continue
        if words[1] == "login":
            assert re.fullmatch(r"(s3|gs|azblob|file)://\S+", words[2]), text
            if words[2].startswith("file:"):
                run("pulumi", "login", f"file://{state}", cwd=project, **variables)
            continue
        for stack in ("dev", "prod"):
            if "$stack" not in words and stack not in words:
                continue
            if words[1:3] == ("stack", "init"):
                if stack in made:
                    continue
                made.add(stack)
            call = [stack if word == "$stack" else word for word in words]
            more = ["--yes"] if words[1:3] == ("stack", "rm") else []
            run(*call, *more, cwd=project, text="hunter2\n", **variables)
            tried += 1
            for file in project.iterdir():
                assert "hunter2" not in file.read_text(encoding="utf-8"), text
    assert made == {"dev", "prod"}
    assert tried >= 8


def _complete(calls: list[Command]) -> list[Command]:
    """Those without an ellipsis, and with more than a name."""
    return [one for one in calls if "…" not in " ".join(one.words) and len(one.words) > 1]


def _place(words: tuple[str, ...]) -> int:
    """Where in a stack's life a command of Pulumi comes; the end for those that are not tried."""
    order = [("login",), ("stack", "init"), ("config", "set"), ("stack", "export"),
             ("state", "unprotect"), ("stack", "rm")]  # fmt: skip
    for place, start in enumerate(order):
        if words[1 : 1 + len(start)] == start and words[-1] != start[-1]:
            return place if words[-1] != "--secrets-provider" else len(LOCAL)
    return len(LOCAL)


def test_kubectl_knows_the_options() -> None:
    assert list(checks.options(of("kubectl"), kubectl(), ("options",))) == []


def test_kubectl_is_told_the_namespace() -> None:
    assert list(checks.namespaces(of("kubectl"))) == []


def test_kubectl_takes_what_needs_no_cluster(tmp_path: Path) -> None:
    program, config = kubectl(), tmp_path / "config"
    for name in ("id_ed25519", "known_hosts", "ca.crt"):
        (tmp_path / name).write_text("a file of the example\n", encoding="utf-8")
    text = " ".join(page.text for page in PAGES)
    contexts = set(re.findall(r"(?:rename-context|--context) ([\w-]+)", text))
    tried = 0
    for words in dict.fromkeys(one.words for one in of("kubectl")):
        create = {"secret", "configmap", "namespace", "serviceaccount"} & set(words)
        if "create" in words and create and len(words) > words.index("create") + 3:
            more = ["--dry-run=client", "--output=name"]
        elif "config" in words:
            more = []
        else:
            continue
        if "docker-registry" in words:
            more += ["--docker-username=x", "--docker-password=x"]
        here = [one for one in contexts if "rename-context" not in words or one != words[-1]]
        listed = [{"name": one, "context": {"cluster": "default"}} for one in here]
        cluster = {"name": "default", "cluster": {"certificate-authority-data": "eA=="}}
        config.write_text(json.dumps({"contexts": listed, "clusters": [cluster]}), encoding="utf-8")
        run(program, *words[1:], *more, cwd=tmp_path, KUBECONFIG=str(config))
        tried += 1
    assert tried >= 8


def test_yaml_is_what_it_claims_to_be(tmp_path: Path) -> None:
    assert list(checks.yaml_blocks(BLOCKS, tmp_path)) == []


@pytest.mark.parametrize("cluster", ["eks", "gke", "aks", "k3s"])
def test_each_cluster_has_its_values_and_classes(cluster: str) -> None:
    page = next(page for page in PAGES if page.path == f"docs/clusters/{cluster}.md")
    found = [block for block in blocks(page) if block.language == "yaml"]
    labels = {block.text.partition("\n")[0] for block in found}
    assert {"# values/dev.yaml", "# values/prod.yaml"} <= labels
    classes = {one["metadata"]["name"] for block in found for one in checks.objects(block.text)}
    named = set(re.findall(r"storageClass: ([\w-]+)", page.text))
    assert named <= classes | {"local-path"}


@pytest.mark.parametrize("cluster", ["eks", "gke", "aks", "k3s"])
def test_its_environments_keep_the_policies(cluster: str, clone: Path) -> None:
    page = next(page for page in PAGES if page.path == f"docs/clusters/{cluster}.md")
    for block in blocks(page):
        if label := checks.VALUES.match(block.text):
            (clone / "values" / f"{label[1]}.yaml").write_text(block.text, encoding="utf-8")
    run("make", "policies", cwd=clone)


def test_json_and_trust() -> None:
    assert list(checks.json_blocks(BLOCKS)) == []
    assert list(checks.trust(COMMANDS)) == []


def test_links_and_paths() -> None:
    assert [problem for page in PAGES for problem in checks.links(page)] == []
    assert [problem for page in PAGES for problem in checks.paths(page)] == []


def test_clouds_are_only_parsed() -> None:
    count = Counter(one.words[0] for one in COMMANDS if one.words[0] in CLOUDS)
    pytest.skip(f"parsed, not run, for want of an account: {dict(sorted(count.items()))}")


PLANTED = {
    "shell": "```sh\nfor x in a; do echo\n```",
    "make target": "```sh\nmake upp ENV=dev\n```",
    "make variable": "Run `make up ENVIRONMENT=dev`.",
    "kubectl option": "```sh\nkubectl -n airflow get pods --selecter=x\n```",
    "kubectl sub-command": "```sh\nkubectl applly -f x.yaml\n```",
    "kubectl namespace": "`kubectl port-forward service/airflow-web 8080`",
    "values key": "```yaml\n# values/dev.yaml\nlogs: {claim: {storagClass: x}}\n```",
    "values of common.yaml": "```yaml\n# values/dev.yaml\nairflow: {executor: LocalExecutor}\n```",
    "values without a name": "```yaml\ndatabase: {backup: {keep: many}}\n```",
    "elided values": "```yaml\nairflow: {celery: {workers: {x: {queue: [a], …}}}}\n```",
    "object": "```yaml\napiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: x}\n"
    "provisioner: x\nmountOption: [tls]\n```",
    "json": '```json\n{"Version": }\n```',
    "trust of pull requests": '```json\n{"subject": "repo:example/data:pull_request"}\n```',
    "trust of everything": '```json\n{"StringLike": {"x:sub": "repo:example/data:*"}}\n```',
    "variable of CI": "```sh\ngh variable set CLUSTER --body '{cloud: aws}'\n```",
    "link": "See [there](docs/nowhere.md).",
    "heading": "See [there](docs/backup.md#nowhere).",
    "path": "Edit `infra/airflow_kubernetes/nowhere.py`.",
}


@pytest.mark.parametrize("text", PLANTED.values(), ids=PLANTED.keys())
def test_the_checks_can_fail(text: str, tmp_path: Path) -> None:
    page = Page("README.md", f"\n{text}\n")
    found: list[Block] = list(blocks(page))
    called = list(commands(page))
    kubectls = [one for one in called if one.words[0] == "kubectl"]
    problems = [
        *checks.shell(block for block in found if block.language == "sh"),
        *checks.make([one for one in called if one.words[0] == "make"], MAKEFILE),
        *(checks.options(kubectls, kubectl(), ("options",)) if kubectls else ()),
        *checks.namespaces(kubectls),
        *checks.yaml_blocks(found, tmp_path),
        *checks.json_blocks(found),
        *checks.trust(called),
        *checks.links(page),
        *checks.paths(page),
    ]
    assert problems


def test_an_undocumented_target_is_found() -> None:
    assert list(checks.undocumented(PAGES, f"{MAKEFILE}\nsecret-target:  ## nobody knows\n"))


def test_the_shell_is_taken_apart() -> None:
    text = (
        "alias k='kubectl -n x'  # a comment\n"
        'for one in $(aws s3 ls); do\n  k get "$one" | grep -v y > z && A=1 make \\\n  up\ndone\n'
    )
    assert [one.words for one in parse("x", text)] == [
        ("kubectl", "-n", "x", "get", "$one"), ("grep", "-v", "y"), ("make", "up"),
        ("aws", "s3", "ls"),
    ]  # fmt: skip
