"""The DAGs of an image as a bundle of Airflow 3, with the image as their version."""

from __future__ import annotations

import os

from airflow.dag_processing.bundles.base import BundleVersion
from airflow.dag_processing.bundles.local import LocalDagBundle


class ImageBundle(LocalDagBundle):
    """The DAGs of the image; the version is the image for task pods, without its registry.

    It is recorded with each DAG that the DAG processor reads and with each run (dag_image.py); the
    database has room for 200 characters. A process has the code of its own image, whatever version
    a task names.
    """

    supports_versioning = True

    def get_current_version(self) -> BundleVersion | None:  # type: ignore[override]
        """The DAG processor's; None in other components, which do not ask."""
        image = os.environ.get("DAG_IMAGE", "")
        return BundleVersion(image.removeprefix(os.environ["TASK_IMAGES"])) if image else None
