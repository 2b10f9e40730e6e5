"""Airflow's own objects: components, configuration, pod template, Jobs and access."""
