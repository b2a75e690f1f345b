"""Makes ``policy/clauses/weights/*.json``: what words weigh for a promise, a right, a practice.

    python -m tools.weigh_clauses [--check]

It learns from the policies with ``NAME.labels.json`` in ``tests/policy/labelled``, and for promises from the sentences
of ``tests/policy/clauses.toml``. First words are weighed alone, by logistic regression over all policies. Then it is
weighed how far the phrases of the lexicon are to be believed beside them: on the policies in ``fresh.txt``, which the
phrases were not tuned on, since on the others they are right too often; and with weights of words from which that
policy was left out.

Printed is what comes of it on the fresh policies, each left out of the weights of words. ``--check`` writes nothing.
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
from tools.measure_policies import KINDS, is_same, matched

from troth.policy import read, read_file
from troth.policy.classify import ClauseKind, Practice
from troth.policy.classify.classifier import features, features_of_paragraph, is_paragraph_weighed, is_weighed
from troth.policy.classify.statements import heard
from troth.policy.phrases import plain

ROOT = Path(__file__).parents[1]
WEIGHTS = ROOT / "src/troth/policy/classify/weights"
LABELLED = ROOT / "tests/policy/labelled"
SAID = ROOT / "tests/policy/clauses.toml"

POLICIES_MIN = 3
"""A word that fewer policies have is somebody's name or taste."""
WEIGHT_MIN = 0.1
"""What weighs less is left out."""
STRENGTH = 0.5
"""How far the weights may go (the inverse of the penalty)."""
FOLDS = 8
ALONE = 3
"""A sentence that somebody wrote down by itself shows more than one of many in a policy."""
SURE = {"promise": 0.3}
SURE_OTHERWISE = 0.35
"""From which probability on something is of a kind. What is missed costs more than one too many, which a person strikes
out; a promise most of all."""
LABELS = {str(kind): label for label, kind in KINDS.items() if kind not in {ClauseKind.CONTACT, ClauseKind.LAW}}
"""The kinds of sentences that are weighed, by what the labels call them. Contacts and laws are found by their form;
there the phrases alone do better."""
PRACTICES = tuple(str(practice) for practice in Practice if practice is not Practice.OTHER)


@dataclass(frozen=True)
class Example:
    """A sentence or a paragraph: what the model sees of it, what the phrases heard, what the labels say, and of which
    kinds they speak at all. One that stands by itself is of no policy."""

    policy: str
    seen: frozenset[str]
    heard: frozenset[str]
    wanted: frozenset[str]
    told: frozenset[str]


Weighed = Mapping[str, Mapping[str, Any]]


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--check", action="store_true", help="write nothing")
    asked.add_argument("--labelled", type=Path, default=LABELLED, help="another folder of labelled policies")
    options = asked.parse_args()
    for name, weights in made(options.labelled).items():
        if not options.check:
            (WEIGHTS / f"{name}.json").write_text(written(weights), "utf-8")


def made(folder: Path) -> Mapping[str, Weighed]:
    """The weights of sentences and of paragraphs that the policies in *folder* give; what comes of them is printed."""
    fresh = set((folder / "fresh.txt").read_text("utf-8").split())
    labelled = sorted(folder.glob("*.labels.json"))
    sentences = [*(one for labels in labelled for one in sentences_of(labels)), *sentences_by_themselves()]
    paragraphs = [one for labels in labelled for one in paragraphs_of(labels)]
    return {
        "sentences": dict(weighed(sentences, tuple(LABELS), fresh)),
        "paragraphs": dict(weighed(paragraphs, PRACTICES, fresh)),
    }


def _named(labels: Path) -> tuple[str, Path, dict[str, Any]]:
    name = labels.name.removesuffix(".labels.json")
    file = next(it for it in labels.parent.glob(f"{name}.*") if it.suffix in {".md", ".html", ".txt", ".docx", ".pdf"})
    return name, file, json.loads(labels.read_text("utf-8"))


def sentences_of(labels: Path) -> Iterator[Example]:
    """The sentences of one policy."""
    name, file, told = _named(labels)
    said = {kind: [plain(text) for text in told.get(label, ())] for kind, label in LABELS.items()}
    for passage, clause in heard(read_file(file))[0]:
        if is_weighed(passage):
            words = plain(passage.sentence.text)
            wanted = frozenset(kind for kind in said if any(is_same(label, words) for label in said[kind]))
            yield Example(name, frozenset(features(passage)), frozenset(clause.kinds), wanted, frozenset(LABELS))


def sentences_by_themselves() -> Iterator[Example]:
    """Sentences of which somebody has said whether they are promises, and nothing else."""
    promise = frozenset({str(ClauseKind.PROMISE)})
    for name, texts in tomllib.loads(SAID.read_text("utf-8")).items():
        for text in texts if name in {"promises", "others"} else ():
            for passage, clause in heard(read(text, kind="markdown"))[0]:
                if is_weighed(passage):
                    wanted = promise if name == "promises" else frozenset[str]()
                    yield Example("", frozenset(features(passage)), frozenset(clause.kinds), wanted, promise)


def paragraphs_of(labels: Path) -> Iterator[Example]:
    """The paragraphs of one policy, as the labels part them."""
    name, file, told = _named(labels)
    sentences, paragraphs = heard(read_file(file))
    passage_of = {passage.sentence.id: passage for passage, _ in sentences}
    for _, practices, group in matched(paragraphs, told["paragraphs"]):
        passages = [passage_of[it.id] for one in group for it in one.sentences]
        if not is_paragraph_weighed(passages):
            continue
        seen = features_of_paragraph(passages)
        believed = frozenset(str(practice) for one in group for practice in one.practices)
        yield Example(name, frozenset(seen), believed, frozenset(practices), frozenset(PRACTICES))


def weighed(
    examples: Sequence[Example], kinds: Sequence[str], fresh: set[str]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The weights of each kind."""
    common = known(examples)
    vectors = DictVectorizer(dtype=np.float64)
    table = vectors.fit_transform([dict.fromkeys(example.seen & common, 1) for example in examples])
    names = vectors.get_feature_names_out()
    policies = np.array([example.policy for example in examples])
    counts = np.where(policies == "", ALONE, 1)
    is_fresh = np.isin(policies, sorted(fresh))
    for kind in kinds:
        told = np.array([kind in example.told for example in examples])
        wanted = np.array([kind in example.wanted for example in examples])
        believed = np.array([kind in example.heard for example in examples], dtype=np.float64)
        alone = np.zeros(len(examples))
        for others, left_out in GroupKFold(FOLDS).split(table, wanted, policies):
            rows = others[told[others]]
            alone[left_out] = _by_words(table[rows], wanted[rows], counts[rows]).decision_function(table[left_out])
        both = np.column_stack([alone, believed])
        beside = _fit(both[is_fresh], wanted[is_fresh], 10)
        sure = SURE.get(kind, SURE_OTHERWISE)
        _tell(kind, wanted[is_fresh], believed[is_fresh] > 0, beside.predict_proba(both[is_fresh])[:, 1] >= sure)
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

    print(f"{name:13} phrases {told(by_phrases)}   with words {told(by_both)}   of {wanted.sum()}")


def written(weights: Weighed) -> str:
    """The file: a kind after the other, a word on each line, so that a difference can be read."""
    rows = {kind: {**row, "words": dict(sorted(row["words"].items()))} for kind, row in weights.items()}
    return json.dumps(rows, ensure_ascii=False, indent=0) + "\n"


if __name__ == "__main__":
    main()
