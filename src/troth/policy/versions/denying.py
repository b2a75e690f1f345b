"""Unqualified denials in a version of a policy, if the sentence states nothing else: a declaration can be checked
against them. The phrases are data (``denying.toml``); any other statement excludes the sentence."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType

from troth.policy.lexicon import Concept, Mentions, concepts, parse_concepts
from troth.policy.text import PolicyText
from troth.policy.versions.clauses import ComparedClause, clauses_of
from troth.policy.versions.strength import Side, strength_of

_NOT_DONE = {
    "shares": {"not to share", "not to sell"},
    "sells": {"not to sell"},
    "abroad": {"not to share"},
    "markets": {"not to use", "not to advertise"},
    "trains": {"not to use"},
}
"""The only acts that a sentence with such a denial may deny."""
_QUALIFIED = "denial.qualified"


def denied_by(policy: PolicyText) -> Mapping[str, frozenset[str]]:
    """What is denied, by clause id: ``shares`` with anybody, ``sells``, transfers ``abroad``, ``markets`` with the data
    or ``trains`` models with it."""
    spoken = Mentions(policy, _known())
    following = dict(zip((one.sentence.id for one in spoken.passages), spoken.passages[1:], strict=False))
    found: dict[str, set[str]] = {}
    for kind in _NOT_DONE:
        for passage in spoken.of(kind):
            after = following.get(passage.sentence.id)
            if after is None or not spoken.why(_QUALIFIED, after.sentence):
                found.setdefault(passage.sentence.id, set()).add(kind)
    whole = {clause.id: clause for clause in clauses_of(policy)}
    return {
        id_: frozenset(kinds)
        for id_, kinds in found.items()
        if id_ in whole and _says_only(whole[id_], set().union(*(_NOT_DONE[kind] for kind in kinds)))
    }


def _says_only(clause: ComparedClause, acts: set[str]) -> bool:
    strength = strength_of(clause)
    promised = {
        mark.what for mark in strength.marks if mark.side is Side.FOR and mark.what.startswith(("to ", "not to "))
    }
    return promised <= acts and not strength.limits


@cache
def _known() -> Mapping[str, Concept]:
    own = parse_concepts(resources.files(__package__).joinpath("denying.toml").read_text("utf-8"))
    return MappingProxyType({**own, _QUALIFIED: concepts()[_QUALIFIED]})
