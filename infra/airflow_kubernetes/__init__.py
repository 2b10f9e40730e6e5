"""Airflow on Kubernetes: typed settings in, Kubernetes objects and images out."""
