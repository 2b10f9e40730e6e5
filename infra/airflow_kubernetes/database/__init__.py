"""The metadata database: MySQL in the cluster or elsewhere, and the way to reach it."""
