"""Write docs/reference/entities.md from the entity types and the recognisers: ``python tools/entities.py``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from troth.detect.entities import Entity, entities
from troth.detect.patterns.checks import checks_in, forms
from troth.detect.patterns.loader import shipped
from troth.detect.patterns.recogniser import Pattern, Recogniser

REFERENCE = Path(__file__).parents[1] / "docs" / "reference" / "entities.md"
_HEAD = """\
# Kinds of personal data

What `troth detect` and `troth.detect` find, as `python tools/entities.py` writes it down from
`src/troth/detect/entities.toml` and the recognisers. A name is Presidio's where it has one. `--types` takes a name or a
whole group; *category* is what the declaration calls the data.

How a value is found: **form**, its form alone says what it is; **check**, its check digits agree, or it is one of the
numbers that are given out; **words**, it is found only where words near it say what it is, in English or in the
language of its country; **words and check**, the same, and check digits make it surer. What can be written in several
ways is found in several. To add one, see [Add a recogniser](../howto/add-a-recogniser.md).
"""
_GROUPS = {
    "name": "Names",
    "place": "Places",
    "contact": "Contact",
    "identity": "About a person",
    "gov_id": "Numbers that states give out",
    "health": "Health",
    "pci": "Cards and banks",
    "network": "Devices and networks",
    "secret": "Secrets",
}
_FINDS_BY_DEFAULT = 0.5


def reference() -> str:
    """The page as it should be."""
    return "\n".join([_HEAD, *_groups()])


def _groups() -> Iterator[str]:
    by_type: dict[str, list[Recogniser]] = {}
    for it in shipped():
        by_type.setdefault(it.type, []).append(it)
    known = {it.group for it in entities().values()}
    for group in (*_GROUPS, *sorted(known - _GROUPS.keys())):
        yield f"## {_GROUPS.get(group, group)} (`{group}`)\n\n| type | what it is | countries | found by | category |"
        yield "|---|---|---|---|---|"
        for name, entity in sorted(entities().items()):
            if entity.group == group:
                yield _row(name, entity, by_type.get(name, []))
        yield ""


def _row(name: str, entity: Entity, recognisers: list[Recogniser]) -> str:
    countries = {country for it in recognisers for country in it.countries}
    # What is found everywhere needs no list of those whose own form is known as well.
    where = "" if any(not it.countries for it in recognisers) else ", ".join(sorted(countries))
    how = sorted({way for it in recognisers for pattern in it.patterns for way in _ways(pattern)})
    return f"| `{name}` | {entity.title} | {where} | {', '.join(how) or 'a model or a grammar'} | `{entity.category}` |"


def _ways(pattern: Pattern) -> Iterator[str]:
    """The evidence that is enough for a finding by default; and whether check digits make it surer."""
    scores = pattern.scores
    has_digits = pattern.check is not None and pattern.check not in set(checks_in(forms))
    if scores.need_words:
        yield "words and check" if has_digits else "words"
    elif (scores.alone or 0) >= _FINDS_BY_DEFAULT or not has_digits:
        yield "form"
    else:
        yield "check"


if __name__ == "__main__":
    REFERENCE.write_text(reference(), encoding="utf-8")
