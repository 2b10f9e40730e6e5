"""Tasks as containers on a Docker host outside of the cluster: DockerOperator over TLS.

Nodes of a cluster have no Docker socket, so the host is another machine. It is an Airflow
connection, `docker_host`: host, port, and in its extra the PEM texts `ca` (the authority of the
host's certificate), `cert` and `key` (what the host knows Airflow by).

    airflow connections add docker_host --conn-type generic --conn-host docker.example.org \\
        --conn-port 2376 --conn-extra '{"ca": "…", "cert": "…", "key": "…"}'

The image comes from the Airflow Variable `example_image`.
"""

from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from airflow.providers.docker.hooks.docker import DockerHook
from airflow.providers.docker.operators.docker import DockerOperator

try:
    from airflow.sdk import dag
except ImportError:  # Airflow 2
    from airflow.decorators import dag


class DockerHostOperator(DockerOperator):
    """DockerOperator on the host that an Airflow connection describes.

    The operator's own `docker_conn_id` is a registry's login; for the host it only takes file names
    (`tls_ca_cert` and so on), while workers have no such files.

    Raises:
        ValueError: the connection's extra lacks one of the texts.
    """

    def __init__(self, *, host_conn_id: str = "docker_host", **options: Any) -> None:
        super().__init__(**options)
        self.host_conn_id = host_conn_id

    def execute(self, context: Any) -> Any:
        """Run the container."""
        connection = DockerHook.get_connection(self.host_conn_id)
        texts = connection.extra_dejson
        if missing := [name for name in ("ca", "cert", "key") if not texts.get(name)]:
            raise ValueError(f"connection {self.host_conn_id}: its extra lacks {missing}")
        # The files are read at every request, and the folder is for this user alone.
        with TemporaryDirectory(prefix="docker-host-") as folder:
            for name in ("ca", "cert", "key"):
                Path(folder, name).write_text(texts[name])
            self.docker_url = f"tcp://{connection.host}:{connection.port or 2376}"
            self.tls_ca_cert = f"{folder}/ca"
            self.tls_client_cert = f"{folder}/cert"
            self.tls_client_key = f"{folder}/key"
            return super().execute(context)


@dag(
    dag_id="docker_operator",
    schedule=None,
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    tags=["example"],
    doc_md=__doc__,
)
def docker_operator() -> None:
    DockerHostOperator(
        task_id="container",
        image="{{ var.value.get('example_image', 'busybox:1.36') }}",
        command=["sh", "-c", "echo container: $(hostname) runs as $(id -u)"],
        user="65534:65534",
        network_mode="none",
        mount_tmp_dir=False,  # the host cannot see the worker's files
        auto_remove="force",
    )


docker_operator()
