"""All rules, by name."""

from types import MappingProxyType

from . import budget, containers, data, pod_security, rbac, references, secrets
from .rule import Rule

RULES: MappingProxyType[str, Rule] = MappingProxyType(
    {
        rule.name: rule
        for module in (pod_security, containers, secrets, data, rbac, references, budget)
        for rule in module.RULES
    }
)
