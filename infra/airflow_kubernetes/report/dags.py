"""What a branch changes in DAGs: both sides read in Airflow's image of this checkout."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from ..airflow import dag_check, dag_reading, image_catalog
from ..airflow.dag_check import Graph
from ..environment import load
from ..errors import UserError
from ..images import buildx, references
from ..images.specs import File, ImageSpec, below
from ..paths import ROOT
from ..registry.client import resolve
from ..registry.login import given
from ..settings.schema import Settings
from .model import DagChange, Dags


def changed(names: Iterable[str], tree: Path, root: Path = ROOT) -> Dags:
    """How the DAGs in `root` differ from those in `tree`; says why, if they cannot be read here.

    They are read for the first of the environments whose builder and Airflow image are here.
    """
    try:
        sides = [_files(folder / "dags") for folder in (tree, root)]
        files = {file.path.partition("/dags/")[2] for file in {*sides[0]} ^ {*sides[1]}}
        if not files:
            return Dags()
        settings, image = _reader(names)
        before, after = (
            _read(settings, dag_check.spec(settings, folder / "dags"), image) if side else None
            for side, folder in zip(sides, (tree, root), strict=True)
        )
    except UserError as error:
        return Dags(not_compared=str(error).partition("\n")[0])
    return compared(before, after, files)


def compared(
    before: dag_check.Report | None, after: dag_check.Report | None, files: Iterable[str]
) -> Dags:
    """The difference of two reports; None is that of no files. `files` are those that differ.

    A DAG whose file cannot be read on a side is not there.
    """
    old, new = (side.dags if side else {} for side in (before, after))
    warned = {(each.file, each.message) for each in before.warnings} if before else ()
    found = [*_changes(old, new, {*files})]
    return Dags(
        changes=tuple(sorted(found, key=lambda change: (change.outcome, change.name))),
        errors=tuple(map(str, after.errors)) if after else (),
        warnings=tuple(
            str(each) for each in after.warnings if (each.file, each.message) not in warned
        )
        if after
        else (),
    )


def _changes(old: dict[str, Graph], new: dict[str, Graph], files: set[str]) -> Iterator[DagChange]:
    for name in old.keys() - new.keys():
        yield DagChange("disappears", name, (f"was in dags/{old[name]['file']}",))
    for name in new.keys() - old.keys():
        graph = new[name]
        paused = ("paused, until it is switched on",) if graph["paused"] else ()
        tasks = f"{len(graph['tasks'])} tasks"
        yield DagChange("appears", name, (f"in dags/{graph['file']}", tasks, *paused))
    for name in old.keys() & new.keys():
        if details := (*_differences(old[name], new[name], files),):
            yield DagChange("changes", name, details)


def _differences(old: Graph, new: Graph, files: set[str]) -> Iterator[str]:
    for what in ("file", "schedule"):
        if old[what] != new[what]:
            yield f"{what} {old[what] or 'none'} → {new[what] or 'none'}"
    before, after = old["tasks"], new["tasks"]
    for what, tasks in (("added", after.keys() - before), ("removed", before.keys() - after)):
        if tasks:
            yield f"{what}: {', '.join(sorted(tasks))}"
    both = before.keys() & after.keys()
    if moved := sorted(task for task in both if before[task] != after[task]):
        yield f"other tasks after: {', '.join(moved)}"
    if new["file"] in files and old["file"] == new["file"]:
        yield f"code in dags/{new['file']}"


def _files(folder: Path) -> tuple[File, ...]:
    return (*image_catalog.dag_files(folder),) if folder.is_dir() and below(folder) else ()


def _reader(names: Iterable[str]) -> tuple[Settings, str]:
    """An environment's settings, and the reference by digest of its Airflow image.

    Raises UserError with the reason of the last one that has none.
    """
    reason = UserError("no environment builds images with DAGs")
    for name in names:
        try:
            settings = load(name)
            if not settings.images.build or settings.airflow.dags.source != "image":
                continue
            if not buildx.has_builder(settings):
                builder = settings.images.builder.name
                reason = UserError(f"there is no builder {builder} here ({name}, images.builder)")
                continue
            by_tag = references.by_tag(settings, image_catalog.airflow(settings))
            return settings, f"{by_tag}@{resolve(by_tag, given())}"
        except UserError as error:
            reason = error
    raise reason


def _read(settings: Settings, spec: ImageSpec, image: str) -> dag_check.Report:
    return dag_reading.known(spec) or dag_reading.read(settings, spec, image)
