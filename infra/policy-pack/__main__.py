"""The rules as a policy pack: `pulumi preview --policy-pack infra/policy-pack`."""

import sys
from pathlib import Path

from pulumi_policy import PolicyPack

# Pulumi puts only this folder on the path; the package is in its parent.
sys.path.insert(0, str(Path(__file__).parents[1]))
from airflow_kubernetes.policies.pack import policies

PolicyPack("airflow-kubernetes", policies())  # serves the engine, and returns when that ends
