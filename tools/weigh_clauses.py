"""Makes ``policy/clauses/weights.json``: what words weigh for a promise, a right, a purpose.

    python tools/weigh_clauses.py FOLDER [--fresh NAME …] [--check]

FOLDER holds policies with ``NAME.labels.json`` (see ``tests/policy/labelled``). First the words are weighed alone, by
logistic regression over all policies. Then it is weighed how far the phrases of the lexicon are to be believed beside
them: on policies that the phrases were not tuned on, since on the others they are right too often, and with weights
of words from which that policy was left out. ``--fresh`` lists these policies in a file, a name on each line.

Printed is what comes of it on the fresh policies, each of them left out of the weights. ``--check`` writes nothing.
"""

from __future__ import annotations

import argparse
import json
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from tools.measure_policies import KINDS, is_same

from troth.policy import read, read_file
from troth.policy.clauses import ClauseKind
from troth.policy.clauses.understanding import heard
from troth.policy.clauses.weighing import features, is_weighed
from troth.policy.phrases import plain

WEIGHTS = Path(__file__).parents[1] / "src/troth/policy/clauses/weights.json"
WEIGHED = ("promises", "rights", "retention", "recipients", "collection", "purposes", "security")
"""Contacts and laws are found by their form; there the phrases alone do better."""
POLICIES_MIN = 3
"""A word that fewer policies have is somebody's name or taste."""
WEIGHT_MIN = 0.1
"""What weighs less is left out."""
STRENGTH = 0.5
"""How far the weights may go (the inverse of the penalty)."""
FOLDS = 8
SENTENCES = "sentences"
ALONE = 3
"""A sentence that somebody wrote down by itself shows more than one of many in a policy."""
SURE = {"promises": 0.3}
SURE_OTHERWISE = 0.4
"""From which probability on a sentence is of a kind. One that is missed costs more than one too many, which a person
strikes out; a promise most of all."""


@dataclass(frozen=True)
class Example:
    """A sentence of a policy: what the model sees of it, what the phrases heard, and what the labels say."""

    policy: str
    seen: frozenset[str]
    heard: frozenset[ClauseKind]
    kinds: frozenset[str]
    told: frozenset[str] = frozenset(WEIGHED)
    """The kinds that the labels speak of."""


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("folder", type=Path)
    asked.add_argument("--fresh", type=Path, required=True, help="names of the policies the phrases were not tuned on")
    asked.add_argument("--sentences", type=Path, required=True, help="TOML: 'promises', and 'others' that are none")
    asked.add_argument("--check", action="store_true", help="write nothing")
    options = asked.parse_args()
    weights = made(options.folder, options.fresh, options.sentences)
    if not options.check:
        WEIGHTS.write_text(written(weights), "utf-8")


def made(folder: Path, fresh: Path, sentences: Path) -> Mapping[ClauseKind, Mapping[str, Any]]:
    """The weights that these policies and sentences give; what comes of them is printed."""
    examples = [example for labels in sorted(folder.glob("*.labels.json")) for example in examples_of(labels)]
    examples += sentences_of(sentences)
    return dict(weighed(examples, set(fresh.read_text("utf-8").split())))


def examples_of(labels: Path) -> Iterator[Example]:
    """The sentences of one policy."""
    name = labels.name.removesuffix(".labels.json")
    file = next(it for it in labels.parent.glob(f"{name}.*") if it.suffix != ".json")
    told = json.loads(labels.read_text("utf-8"))
    said = {kind: [plain(text) for text in told.get(kind, ())] for kind in WEIGHED}
    for passage, clause in heard(read_file(file)):
        if is_weighed(passage):
            words = plain(passage.sentence.text)
            kinds = frozenset(kind for kind in WEIGHED if any(is_same(label, words) for label in said[kind]))
            yield Example(name, frozenset(features(passage)), frozenset(clause.kinds), kinds)


def sentences_of(cases: Path) -> Iterator[Example]:
    """Sentences by themselves, of which somebody has said whether they are promises."""
    said = tomllib.loads(cases.read_text("utf-8"))
    for name in ("promises", "others"):
        for text in said[name]:
            kinds = frozenset({"promises"} if name == "promises" else ())
            for passage, clause in heard(read(text, kind="markdown")):
                if is_weighed(passage):
                    seen = frozenset(features(passage))
                    yield Example(SENTENCES, seen, frozenset(clause.kinds), kinds, frozenset({"promises"}))


def weighed(examples: Sequence[Example], fresh: set[str]) -> Iterator[tuple[ClauseKind, Mapping[str, Any]]]:
    """The weights of each kind."""
    common = known(examples)
    vectors = DictVectorizer(dtype=np.float64)
    table = vectors.fit_transform([dict.fromkeys(example.seen & common, 1) for example in examples])
    names = vectors.get_feature_names_out()
    policies = np.array([example.policy for example in examples])
    counts = np.where(policies == SENTENCES, ALONE, 1)
    is_fresh = np.isin(policies, sorted(fresh))
    for name in WEIGHED:
        kind = KINDS[name]
        told = np.array([name in example.told for example in examples])
        wanted = np.array([name in example.kinds for example in examples])
        believed = np.array([kind in example.heard for example in examples], dtype=np.float64)
        alone = np.zeros(len(examples))
        for others, left_out in GroupKFold(FOLDS).split(table, wanted, policies):
            rows = others[told[others]]
            alone[left_out] = _by_words(table[rows], wanted[rows], counts[rows]).decision_function(table[left_out])
        both = np.column_stack([alone, believed])
        beside = _fit(both[is_fresh], wanted[is_fresh], 10)
        sure = SURE.get(name, SURE_OTHERWISE)
        _tell(name, wanted[is_fresh], believed[is_fresh] > 0, beside.predict_proba(both[is_fresh])[:, 1] >= sure)
        words = _by_words(table[told], wanted[told], counts[told])
        by_words, by_phrases = beside.coef_[0]
        base = beside.intercept_[0] + by_words * words.intercept_[0] - np.log(sure / (1 - sure))
        weights = {
            each: round(100 * by_words * weight) for each, weight in zip(names, words.coef_[0], strict=True) if weight
        }
        yield kind, {"base": round(100 * base), "heard": round(100 * by_phrases), "words": weights}


def known(examples: Sequence[Example]) -> set[str]:
    """The features that enough policies have."""
    policies = defaultdict[str, set[str]](set)
    for example in examples:
        for each in example.seen:
            policies[each].add(example.policy)
    return {each for each, where in policies.items() if len(where) >= POLICIES_MIN}


def _by_words(table: Any, wanted: Any, weights: Any) -> LogisticRegression:
    """The weights of the words, without those that say next to nothing."""
    words = _fit(table, wanted, STRENGTH, weights)
    words.coef_[np.abs(words.coef_) < WEIGHT_MIN] = 0
    return words


def _fit(table: Any, wanted: Any, strength: float, weights: Any = None) -> LogisticRegression:
    return LogisticRegression(C=strength, max_iter=500).fit(table, wanted, sample_weight=weights)


def _tell(name: str, wanted: Any, by_phrases: Any, by_both: Any) -> None:
    def told(found: Any) -> str:
        right = (found & wanted).sum()
        recall, precision = right / max(wanted.sum(), 1), right / max(found.sum(), 1)
        return f"recall {recall:.1%}  precision {precision:.1%}  F1 {2 * right / (found.sum() + wanted.sum()):.3f}"

    print(f"{name:12} phrases {told(by_phrases)}   with words {told(by_both)}   of {wanted.sum()}")


def written(weights: Mapping[ClauseKind, Mapping[str, Any]]) -> str:
    """The file: a kind after the other, a word on each line, so that a difference can be read."""
    rows = {str(kind): {**row, "words": dict(sorted(row["words"].items()))} for kind, row in weights.items()}
    return json.dumps(rows, ensure_ascii=False, indent=0, sort_keys=False) + "\n"


if __name__ == "__main__":
    main()
