"""The embedded cluster: a single-node Kubernetes, a registry and a builder as host processes."""
