"""What the Makefile's targets run: `python -m airflow_kubernetes <command> <environment>`."""
