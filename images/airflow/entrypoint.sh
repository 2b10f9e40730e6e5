#!/bin/sh
# Starts one Airflow process and nothing else: no migration, no waiting, no generated key. Each of
# those belongs to one place of the deployment, while this script runs in every pod, task pods
# included.
#
# dumb-init is process 1: it reaps the orphans of tasks, and passes signals on to the main process
# alone (--single-child), because a Celery worker whose whole group gets SIGTERM fails its tasks. In a
# pod of KubernetesExecutor it keeps SIGTERM to itself: Airflow would fail the task at once, which may
# finish until its pod's grace period is over. Such a pod also reports what it has used
# (/opt/checks/measured.sh).
set -eu

# has_command NAME: whether the Airflow of this image has such a command (found without loading it).
has_command() {
    bin=$(dirname "$(command -v airflow)")
    ls "${bin}"/../lib/python3*/site-packages/airflow/cli/commands/"$1"_command.py
} > /dev/null 2>&1

case "${1:-}" in
    webserver)
        # The web server of Airflow 2 became the API server of Airflow 3.
        if ! has_command webserver; then
            shift
            set -- api-server "$@"
        fi
        set -- airflow "$@"
        ;;
    api-server | dag-processor | scheduler | triggerer | version)
        set -- airflow "$@"
        ;;
    worker | flower)
        set -- airflow celery "$@"
        ;;
esac

# Of a container that was killed before: /tmp is the pod's, and gunicorn refuses to start next to it.
rm -f /tmp/webserver.pid /tmp/worker.pid

if [ "${AIRFLOW_IS_K8S_EXECUTOR_POD:-}" = True ]; then
    exec dumb-init --single-child --rewrite 15:0 -- sh /opt/checks/measured.sh "$@"
fi
exec dumb-init --single-child -- "$@"
