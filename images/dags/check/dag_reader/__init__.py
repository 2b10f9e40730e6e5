"""What check_dags.py knows of a DAG file. A package: its modules hide none of a DAG's author."""
