"""Kubernetes objects as values: pods and their parts, accounts, claims, servers."""
