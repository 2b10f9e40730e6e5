"""The message broker of Celery executors: Redis in the cluster, or an external broker."""
