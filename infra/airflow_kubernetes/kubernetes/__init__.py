"""What every builder of Kubernetes objects shares."""
