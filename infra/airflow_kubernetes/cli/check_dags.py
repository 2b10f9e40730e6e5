"""`make check-dags` and `make test-dag`: DAGs in the image that they are deployed in, without a
cluster.
"""

from concurrent.futures import ThreadPoolExecutor

from ..airflow import dag_check, dag_reading, image_catalog
from ..airflow.dag_check import Report
from ..airflow.next_release import deprecated
from ..console import Stopwatch, say
from ..errors import CommandError
from ..images import buildx, references
from ..images.failures import BuildError
from ..images.specs import ImageSpec
from ..kubernetes.manifest import Manifest
from ..registry.reference import RegistryError
from ..settings.problems import listed
from ..settings.schema import Settings
from . import build
from .target import Target


def check_dags(target: Target) -> None:
    """Print what is wrong with the DAGs of dags/: errors and warnings, one line a problem.

    Raises CommandError with the errors, and where an environment has no DAGs of this checkout.
    """
    _refuse_other_sources(target)
    stopwatch = Stopwatch()
    spec = dag_check.spec(target.settings)
    report = dag_reading.known(spec) or _read(target.settings, spec)
    _warn(report)
    _refuse(report)
    took = f"{report.seconds:.0f} s and {report.megabytes} MB" if stopwatch.seconds > 1 else "known"
    print(f"dags/: {report.files} files, {len(report.dags)} DAGs, no error ({took})")


def before_up(settings: Settings) -> None:
    """Do the same before `pulumi up`, unless these DAGs have passed already.

    Pulumi makes the builder itself, and may have another login: if DAGs cannot be read, the
    deployment goes on. Raises CommandError with the errors of DAGs.
    """
    spec = _unchecked(settings)
    if spec is None:
        return
    try:
        report = _read(settings, spec)
    except (BuildError, RegistryError) as error:
        say(f"warning: DAGs are not checked: {error}")
        return
    _accept(report)


def while_building(target: Target) -> list[Manifest]:
    """`build.deployable`, and the check of the DAGs at the same time, unless they have passed
    already: each takes seconds.

    Raises what `build.deployable` raises, BuildError if DAGs cannot be read, and CommandError with
    their errors.
    """
    settings = target.settings
    spec = _unchecked(settings)
    if spec is None:
        return build.deployable(target)
    image = _image(settings)
    with ThreadPoolExecutor(1) as pool:
        report = pool.submit(dag_reading.read, settings, spec, image)
        rendered = build.deployable(target)
    _accept(report.result())
    return rendered


def _unchecked(settings: Settings) -> ImageSpec | None:
    """What the check builds; None where DAGs have passed, come from Git, or are in images that
    another environment has built.
    """
    if not settings.images.build or settings.airflow.dags.source != "image":
        return None
    spec = dag_check.spec(settings)
    return None if dag_reading.known(spec) else spec


def _accept(report: Report) -> None:
    _warn(report)
    _refuse(report)
    say(f"dags/: {report.files} files, {len(report.dags)} DAGs, no error")


def passed(settings: Settings) -> list[str]:
    """The ids of the DAGs of dags/, if they have been read without an error."""
    if settings.airflow.dags.source != "image":
        return []
    report = dag_reading.known(dag_check.spec(settings))
    return sorted(report.dags) if report else []


def test_dag(target: Target, dag: str) -> None:
    """Run one DAG of dags/ by `airflow dags test`, with its log on standard output.

    Raises CommandError if the run fails.
    """
    _refuse_other_sources(target)
    if not dag:
        raise CommandError("DAG= names no DAG; for example make test-dag DAG=smoke")
    spec = dag_check.spec(target.settings)
    image = _image(target.settings)
    if not buildx.run(target.settings, spec, image, dag_check.RUN, {"DAG": dag}):
        raise CommandError(f"DAG {dag} failed, for the reason above")


def _refuse_other_sources(target: Target) -> None:
    name, settings = target.environment, target.settings
    if settings.airflow.dags.source != "image":
        raise CommandError(
            "airflow.dags.source is git: DAGs are not of this checkout. Check them in their own "
            "repository"
        )
    if not settings.images.build:
        raise CommandError(
            f"{name} builds no images (images.build is false): name an environment that does, as "
            "in ENV=dev"
        )


def _warn(report: Report) -> None:
    for warning in sorted({*report.warnings, *deprecated()}):
        say(f"warning: {warning}")


def _refuse(report: Report) -> None:
    if report.errors:
        count = len(report.errors)
        head = f"{count} problem{'s' if count > 1 else ''} in DAGs; nothing was deployed:"
        raise CommandError("\n".join([head, *listed(report.errors)]))


def _image(settings: Settings) -> str:
    """The reference of Airflow's image without DAGs, which is built if need be."""
    spec = image_catalog.airflow(settings)
    return build.ensure(settings, [spec])[references.by_tag(settings, spec)]


def _read(settings: Settings, spec: ImageSpec) -> Report:
    image = _image(settings)
    say(f"dags/: reading all files in {image.partition('@')[0]}")
    return dag_reading.read(settings, spec, image)
