"""From the official Airflow Helm chart: its values as values of this program."""
