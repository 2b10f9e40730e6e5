"""KubernetesExecutor whose tasks wait for the cluster, and run again when it takes their pod.

executor.py is Airflow's own executor with these two differences, for both Airflow lines; ends.py
and refusals.py say what is the cluster's doing.
"""
