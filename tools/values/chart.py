"""The official chart's words (apache/airflow `chart/`, 1.22) for settings that have others here."""

SECTIONS: dict[str, tuple[str, ...]] = {
    "pods": ("",),
    "airflow.apiServer": ("apiServer.", "webserver."),
    "airflow.scheduler": ("scheduler.",),
    "airflow.dagProcessor": ("dagProcessor.",),
    "airflow.triggerer": ("triggerer.",),
    "airflow.tasks": ("workers.kubernetes.", "workers."),
    "airflow.jobs": ("migrateDatabaseJob.", "createUserJob.", "cleanup."),
    "airflow.celery.workers.<name>": ("workers.celery.sets[].", "workers.celery.", "workers."),
    "airflow.celery.flower": ("flower.",),
    "database.cluster": (),
    "database.backup": (),
    "broker.cluster": ("redis.",),
}
"""The sections of pods, and what the chart's keys begin with there."""

OF_PODS = {
    "env": "env (a list), secret",
    "envFrom": "extraEnvFrom (a text)",
    "volumes": "volumes, extraVolumes",
    "volumeMounts": "volumeMounts, extraVolumeMounts",
    "lifecycle": "containerLifecycleHooks",
    "podAnnotations": "podAnnotations, airflowPodAnnotations",
    "dnsConfig": "",
    "serviceAccount.labels": "",
}
"""Of what any pod may have, by key; the others have the chart's names."""

OF_COMPONENTS = {
    "resources": "resources",
    "podDisruptionBudget.maxUnavailable": "podDisruptionBudget.config.maxUnavailable",
}
"""Of what components have, by key, after the beginning of their section."""

KEYS = {
    "airflow.version": "airflowVersion",
    "airflow.executor": "executor",
    "airflow.url": "config.api.base_url, config.webserver.base_url",
    "airflow.parallelism": "config.core.parallelism",
    "airflow.configuration": "config",
    "airflow.admin.username": "createUserJob.defaultUser.username",
    "airflow.admin.email": "createUserJob.defaultUser.email",
    "airflow.admin.firstName": "createUserJob.defaultUser.firstName",
    "airflow.admin.lastName": "createUserJob.defaultUser.lastName",
    "airflow.apiServer.replicas": "apiServer.replicas, webserver.replicas",
    "airflow.apiServer.workers": "config.api.workers, config.webserver.workers",
    "airflow.apiServer.service.type": "apiServer.service.type, webserver.service.type",
    "airflow.apiServer.service.nodePort": "apiServer.service.ports, webserver.service.ports",
    "airflow.scheduler.replicas": "scheduler.replicas",
    "airflow.dagProcessor.replicas": "dagProcessor.replicas",
    "airflow.triggerer.replicas": "triggerer.replicas, triggerer.enabled",
    "airflow.celery.workers.<name>.queues": "workers.celery.queue, workers.queue",
    "airflow.celery.workers.<name>.concurrency": "config.celery.worker_concurrency",
    "airflow.celery.workers.<name>.replicas": "workers.celery.replicas, workers.replicas",
    "airflow.celery.workers.<name>.maxReplicas": "workers.celery.hpa.maxReplicaCount",
    "airflow.celery.serviceAccount": "workers.celery.serviceAccount, workers.serviceAccount",
    "airflow.dags.source": "dags.gitSync.enabled",
    "airflow.dags.git.repository": "dags.gitSync.repo",
    "airflow.dags.git.ref": "dags.gitSync.ref, dags.gitSync.branch",
    "airflow.dags.git.folder": "dags.gitSync.subPath",
    "airflow.dags.git.interval": "dags.gitSync.period",
    "airflow.dags.git.secret": "dags.gitSync.credentialsSecret, dags.gitSync.sshKeySecret",
    "airflow.dags.git.image": "images.gitSync",
    "airflow.tasks.gracePeriod": "workers.terminationGracePeriodSeconds",
    "airflow.tasks.pendingTimeout": "config.scheduler.task_queued_timeout",
    "airflow.tasks.failedPodRetention": "cleanup",
    "airflow.tasks.launchPods": "allowPodLaunching",
    "database.mode": "postgresql.enabled",
    "database.name": "data.metadataConnection.db",
    "database.user": "data.metadataConnection.user",
    "database.external.host": "data.metadataConnection.host",
    "database.external.port": "data.metadataConnection.port",
    "database.external.secret": "data.metadataSecretName",
    "broker.mode": "redis.enabled",
    "broker.cluster.image": "images.redis",
    "broker.cluster.claim.size": "redis.persistence.size",
    "broker.cluster.claim.storageClass": "redis.persistence.storageClassName",
    "broker.external.secret": "data.brokerUrlSecretName",
    "logs.claim.size": "logs.persistence.size",
    "logs.claim.storageClass": "logs.persistence.storageClassName",
    "images.registry": "images.airflow.repository, defaultAirflowRepository",
    "images.imagePullSecrets": "imagePullSecrets, registry.secretName",
    "budget": "quotas, limits",
}
"""Of other settings: a key, or a section whose keys all have it."""
