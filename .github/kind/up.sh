#!/usr/bin/env bash
# Makes sure that there is a kind cluster with a local registry
# (https://kind.sigs.k8s.io/docs/user/local-registry/), the context of Pulumi.sandbox.yaml, and a
# builder that can access the registry. What a run that was stopped left undone, the next one does.
set -euo pipefail
registry=airflow-kind-registry
port=5001

for program in docker kind kubectl; do
  command -v "$program" > /dev/null || { echo "error: $program is not on PATH" >&2; exit 1; }
done
docker start "$registry" 2> /dev/null ||
  docker run --detach --restart always --name "$registry" --publish "127.0.0.1:$port:5000" \
    registry:3@sha256:ddf754342cfc8acc51a56d5d0ab6af06826461864460636d8bd5c546dab2a7b8
docker buildx inspect airflow-kind > /dev/null 2>&1 ||
  docker buildx create --name airflow-kind --driver docker-container --driver-opt network=host \
    --bootstrap
if ! kind get clusters | grep -qx airflow; then
  # That of a cluster which was deleted.
  kubectl config delete-context airflow-sandbox 2> /dev/null || true
  kind create cluster --config "$(dirname "$0")/cluster.yaml" --wait 120s
fi
if ! kubectl config get-contexts airflow-sandbox > /dev/null 2>&1; then
  kubectl config rename-context kind-airflow airflow-sandbox
fi
kubectl config use-context airflow-sandbox

# On a node, localhost is the node itself: redirect it to the registry.
docker network connect kind "$registry" 2> /dev/null || true # it may be connected already
for node in $(kind get nodes --name airflow); do
  folder="/etc/containerd/certs.d/localhost:$port"
  docker exec "$node" mkdir -p "$folder"
  echo "[host.\"http://$registry:5000\"]" |
    docker exec --interactive "$node" cp /dev/stdin "$folder/hosts.toml"
done

# The volume of logs is ReadWriteMany. All pods are on one node, so a local path can be shared; the
# provisioner must be configured for that.
kubectl --namespace local-path-storage patch configmap local-path-config --type merge --patch \
  '{"data": {"config.json": "{\"sharedFileSystemPath\": \"/var/local-path-provisioner\"}"}}'
kubectl --namespace local-path-storage rollout restart deployment local-path-provisioner
kubectl --namespace local-path-storage rollout status deployment local-path-provisioner --timeout 120s
