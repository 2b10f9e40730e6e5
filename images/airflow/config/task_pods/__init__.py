"""KubernetesExecutor whose tasks wait for the cluster, run again when it takes their pod, and leave
on record what they used.

executor.py is Airflow's own executor with these differences, for both Airflow lines; ends.py and
refusals.py say what is the cluster's doing, use.py what a pod used.
"""
