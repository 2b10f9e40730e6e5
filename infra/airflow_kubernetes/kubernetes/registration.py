"""Plain objects as Pulumi resources of the Kubernetes provider.

They are registered under the provider's own type tokens, so state, diffs and awaiting are those of
the typed classes; importing those classes costs more time than rendering an environment.
"""

from importlib.metadata import version
from typing import Any

import pulumi

from .manifest import Manifest, is_protected
from .namespace import stays

PLUGIN_VERSION = version("pulumi-kubernetes")


class KubernetesObject(pulumi.CustomResource):
    """One object. Its logical name is kind and name, without any hash that the name may carry.

    One that `stays` is left in the cluster when it is no longer wanted, instead of protected, at
    which Pulumi would stop.
    """

    def __init__(self, name: str, obj: Manifest, opts: pulumi.ResourceOptions) -> None:
        self.stays = stays(obj)
        api_version, kind = obj["apiVersion"], obj["kind"]
        group = api_version if "/" in api_version else f"core/{api_version}"
        own = pulumi.ResourceOptions(
            version=PLUGIN_VERSION,
            protect=is_protected(obj) and not self.stays,
            retain_on_delete=self.stays,
            # Both hold values that the API server derives from secret inputs.
            additional_secret_outputs=["data", "stringData"] if kind == "Secret" else None,
        )
        props: dict[str, Any] = dict(obj)
        super().__init__(
            f"kubernetes:{group}:{kind}", name, props, pulumi.ResourceOptions.merge(own, opts)
        )
