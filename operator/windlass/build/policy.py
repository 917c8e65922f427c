"""The admin's policy: which pods may be made, as lists of what is allowed. What is on no list is refused.

    file ──read_policies──▶ Policy … ──applies_to(namespace's labels)──▶ refusals(pod) ──▶ nothing, or why not

A pod must pass every policy that selects its namespace. The rules are in `policy_rules`, each in Python and as the
CEL expression of the chart's ValidatingAdmissionPolicy, so that the controller and the cluster say the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Final

from windlass.build.policy_fields import known_field
from windlass.build.policy_rules import RULES, Allowed, Rule

JsonObject = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Policy:
    """What the admin allows in some namespaces."""

    name: str
    allowed: Allowed = field(default_factory=Allowed)
    selector: JsonObject = field(default_factory=dict)
    """A metav1.LabelSelector on namespaces; empty: all of them."""

    def applies_to(self, labels: Mapping[str, str]) -> bool:
        """Whether a namespace with these labels is selected."""
        wanted: Mapping[str, str] = self.selector.get("matchLabels") or {}
        return all(labels.get(key) == value for key, value in wanted.items()) and all(
            _holds(one, labels) for one in self.selector.get("matchExpressions") or ()
        )

    def refusals(self, pod: JsonObject) -> list[str]:
        """Why this pod may not be made, a sentence for each rule that refuses it."""
        return [refusal(self.name, rule.name, found) for rule in RULES if (found := self._offenders(rule, pod))]

    def _offenders(self, rule: Rule, pod: JsonObject) -> Sequence[str]:
        try:
            return rule.offenders(pod, self.allowed)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            # A template may hold anything. What can't be judged is not let through.
            return [f"a pod that is malformed ({error})"]


def refusal(policy: str, rule: str, offenders: Sequence[str]) -> str:
    """The sentence, as the cluster says it too."""
    return f'the admin\'s policy "{policy}" refuses {", ".join(offenders)}: its rule {rule} does not allow it'


def read_policies(document: Any) -> tuple[Policy, ...]:
    """The policies of a file, as it was decoded. ValueError says what is wrong with it, and where."""
    if not isinstance(document, Mapping) or document.keys() - {"policies"}:
        raise ValueError("a policy file is an object with one key: policies")
    entries = document.get("policies", [])
    if not isinstance(entries, list):
        raise ValueError("policies is no list")  # noqa: TRY004 - it is the file that is wrong, not its caller
    policies = tuple(_read(entry, f"policies[{number}]") for number, entry in enumerate(entries))
    names = [policy.name for policy in policies]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"policies: the name {min(twice)} is there twice")
    return policies


def _read(entry: Any, where: str) -> Policy:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("name"), str) or not entry["name"]:
        raise ValueError(f"{where}: a policy is an object with a name")
    values = {key: value for key, value in entry.items() if key not in ("name", "namespaceSelector")}
    selector = entry.get("namespaceSelector") or {}
    _check_selector(selector, f"{where}.namespaceSelector")
    return Policy(entry["name"], _read_allowed(values, where), selector)


def _read_allowed(values: Mapping[str, Any], where: str) -> Allowed:
    known = {KEYS[one.name]: one for one in fields(Allowed)}
    read: dict[str, Any] = {}
    for key, value in values.items():
        if key not in known:
            raise ValueError(f"{where}.{key} is no rule: there are {', '.join(sorted(known))}")
        if isinstance(getattr(_USUAL, known[key].name), bool):
            if not isinstance(value, bool):
                raise ValueError(f"{where}.{key} is neither true nor false")  # noqa: TRY004
            read[known[key].name] = value
            continue
        if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
            raise ValueError(f"{where}.{key} is no list of strings")
        if key == "fields" and (unknown := [one for one in value if not known_field(one)]):
            raise ValueError(f"{where}.fields: {unknown[0]} is no field that can be allowed")
        read[known[key].name] = tuple(value)
    return Allowed(**read)


def _check_selector(selector: Any, where: str) -> None:
    if not isinstance(selector, Mapping) or selector.keys() - {"matchLabels", "matchExpressions"}:
        raise ValueError(f"{where} takes matchLabels and matchExpressions")
    for one in selector.get("matchExpressions") or ():
        if not isinstance(one, Mapping) or one.get("operator") not in _OPERATORS or not one.get("key"):
            raise ValueError(f"{where}.matchExpressions: key and an operator of {', '.join(_OPERATORS)} are needed")


def _holds(expression: JsonObject, labels: Mapping[str, str]) -> bool:
    key, values = expression["key"], expression.get("values") or ()
    match expression["operator"]:
        case "In":
            return key in labels and labels[key] in values
        case "NotIn":
            return key not in labels or labels[key] not in values
        case "Exists":
            return key in labels
        case _:
            return key not in labels


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


_USUAL: Final = Allowed()
KEYS: Final = {one.name: _camel(one.name) for one in fields(Allowed)}
"""Each rule as it is called in a policy, by its field of `Allowed`."""
_OPERATORS: Final = ("In", "NotIn", "Exists", "DoesNotExist")
