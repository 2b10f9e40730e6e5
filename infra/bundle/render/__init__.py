"""The program's Kubernetes objects without a cluster, and applying them with kubectl."""
