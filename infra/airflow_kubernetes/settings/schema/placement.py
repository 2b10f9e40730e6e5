"""Nodes for a pod: selectors, tolerations, affinity and spread, as in a Kubernetes pod spec."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from ..fields import LabelKey, LabelValue, Name, Section, TaintKey

NodeSelector = dict[LabelKey, LabelValue]

Labels = dict[LabelKey, LabelValue]

Weight = Annotated[int, Field(ge=1, le=100)]


class Toleration(Section):
    """A toleration of a Kubernetes pod spec: without a key, of all taints."""

    key: TaintKey | None = None
    operator: Literal["Exists", "Equal"] = "Equal"
    value: LabelValue | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    toleration_seconds: Annotated[int, Field(ge=0, lt=2**63)] | None = None

    @model_validator(mode="after")
    def _possible(self) -> "Toleration":
        if not self.key and self.operator != "Exists":
            raise PydanticCustomError(
                "key", "should have a key; or operator: Exists, which tolerates every taint"
            )
        if self.operator == "Exists" and self.value:
            raise PydanticCustomError(
                "value", "should have no value with operator: Exists, which tolerates every value"
            )
        if self.toleration_seconds is not None and self.effect != "NoExecute":
            raise PydanticCustomError(
                "seconds", "should have tolerationSeconds only with effect: NoExecute"
            )
        return self


def _different(tolerations: list[Toleration]) -> list[Toleration]:
    keys = {(item.key, item.operator, item.value or "", item.effect) for item in tolerations}
    if len(keys) < len(tolerations):
        raise PydanticCustomError(
            "twice", "should have no two items that tolerate the same: keep one of them"
        )
    return tolerations


Tolerations = Annotated[list[Toleration], AfterValidator(_different)]


def _values(operator: str, values: Sequence[str]) -> None:
    """Raises PydanticCustomError for values that the operator of a requirement does not take."""
    if operator in ("In", "NotIn") and not values:
        raise PydanticCustomError(
            "values", "should have values with operator: {operator}", {"operator": operator}
        )
    if operator in ("Exists", "DoesNotExist") and values:
        raise PydanticCustomError(
            "values", "should have no values with operator: {operator}", {"operator": operator}
        )
    if operator in ("Gt", "Lt") and not (len(values) == 1 and values[0].isdecimal()):
        raise PydanticCustomError(
            "values",
            'should have one whole number as its value, such as ["4"], with operator: {operator}',
            {"operator": operator},
        )


class LabelRequirement(Section):
    """What the labels of pods or of namespaces must have."""

    key: LabelKey
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    values: list[LabelValue] = Field(default_factory=list)

    @model_validator(mode="after")
    def _possible(self) -> "LabelRequirement":
        _values(self.operator, self.values)
        return self


class NodeRequirement(Section):
    """What the labels of a node must have."""

    key: LabelKey
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]
    values: list[LabelValue] = Field(default_factory=list)

    @model_validator(mode="after")
    def _possible(self) -> "NodeRequirement":
        _values(self.operator, self.values)
        return self


class LabelSelector(Section):
    """Pods or namespaces by their labels; an empty one selects all."""

    match_labels: Labels = Field(default_factory=dict)
    match_expressions: list[LabelRequirement] = Field(default_factory=list)

    def keys(self) -> set[str]:
        """The labels that it is about."""
        return {*self.match_labels, *(item.key for item in self.match_expressions)}


class NodeSelectorTerm(Section):
    """Nodes that meet all of some requirements."""

    match_expressions: Annotated[list[NodeRequirement], Field(min_length=1)]


class RequiredNodes(Section):
    """Nodes that meet one of some terms."""

    node_selector_terms: Annotated[list[NodeSelectorTerm], Field(min_length=1)]


class PreferredNodes(Section):
    """Nodes that the scheduler prefers, the more the greater the weight."""

    weight: Weight
    preference: NodeSelectorTerm


class NodeAffinity(Section):
    """Nodes by their labels."""

    required_during_scheduling_ignored_during_execution: RequiredNodes | None = None
    preferred_during_scheduling_ignored_during_execution: list[PreferredNodes] = Field(
        default_factory=list
    )


class PodAffinityTerm(Section):
    """Nodes with (or, as anti-affinity, without) certain pods, in one domain of a topology."""

    label_selector: LabelSelector
    topology_key: LabelKey
    namespaces: list[Name] = Field(default_factory=list)
    namespace_selector: LabelSelector | None = None


class WeightedPodAffinityTerm(Section):
    """A term that the scheduler prefers, the more the greater the weight."""

    weight: Weight
    pod_affinity_term: PodAffinityTerm


class PodAffinity(Section):
    """Nodes by the pods that are on them."""

    required_during_scheduling_ignored_during_execution: list[PodAffinityTerm] = Field(
        default_factory=list
    )
    preferred_during_scheduling_ignored_during_execution: list[WeightedPodAffinityTerm] = Field(
        default_factory=list
    )


class Affinity(Section):
    """The affinity of a Kubernetes pod spec."""

    node_affinity: NodeAffinity | None = None
    pod_affinity: PodAffinity | None = None
    pod_anti_affinity: PodAffinity | None = None


OWN = {"app.kubernetes.io/component", "app.kubernetes.io/name"}
"""The labels by which the pods of a component are selected."""


class TopologySpreadConstraint(Section):
    """How evenly pods are spread over the domains of a topology.

    Without `label_selector`: the pods of the same component.
    """

    max_skew: Annotated[int, Field(ge=1, lt=2**31)]
    topology_key: LabelKey
    when_unsatisfiable: Literal["DoNotSchedule", "ScheduleAnyway"]
    label_selector: LabelSelector | None = None
    match_label_keys: list[LabelKey] = Field(default_factory=list)
    min_domains: Annotated[int, Field(ge=1, lt=2**31)] | None = None
    node_affinity_policy: Literal["Honor", "Ignore"] | None = None
    node_taints_policy: Literal["Honor", "Ignore"] | None = None

    @model_validator(mode="after")
    def _possible(self) -> "TopologySpreadConstraint":
        if self.min_domains is not None and self.when_unsatisfiable != "DoNotSchedule":
            raise PydanticCustomError(
                "domains", "should have minDomains only with whenUnsatisfiable: DoNotSchedule"
            )
        selected = OWN if self.label_selector is None else self.label_selector.keys()
        if selected & {*self.match_label_keys}:
            raise PydanticCustomError(
                "keys", "should have no label in both matchLabelKeys and labelSelector"
            )
        return self


def _distinct(constraints: list[TopologySpreadConstraint]) -> list[TopologySpreadConstraint]:
    pairs = {(item.topology_key, item.when_unsatisfiable) for item in constraints}
    if len(pairs) < len(constraints):
        raise PydanticCustomError(
            "twice", "should have no two items with the same topologyKey and whenUnsatisfiable"
        )
    return constraints


TopologySpread = Annotated[list[TopologySpreadConstraint], AfterValidator(_distinct)]
