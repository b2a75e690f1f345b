"""PCI DSS 4.0.1, 3.3.1: what may never be kept after authorisation has no field, no format and no name in protect."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator

import pytest
from tests.tables import each_row

import troth.protect
from troth.protect import TokenFormat
from troth.protect.tokens.cards import BRANDS

FORBIDDEN = {
    *("cvv", "cvv2", "cvc", "cvc2", "cvn", "cvn2", "cid", "csc", "cav", "cav2", "icvv", "dcvv"),
    *("track", "track1", "track2", "tracks", "magstripe", "stripe", "magnetic"),
    *("pin", "pins", "pinblock", "sad"),
}


def words(name: str) -> set[str]:
    """``pinBlock``, ``pin_block`` and ``PIN`` alike; ``opinion`` is another word."""
    apart = re.sub(r"([a-z0-9])([A-Z])|([A-Z])([A-Z][a-z])", r"\1\3 \2\4", name)
    return set(re.split(r"[^a-z0-9]+", apart.lower()))


def public_names() -> Iterator[str]:
    """Modules, what they offer, its attributes, and the parameters of what can be called."""
    for module in pkgutil.walk_packages(troth.protect.__path__, "troth.protect."):
        yield module.name
        try:
            loaded = importlib.import_module(module.name)
        except ImportError as missing:  # a module that only users of an optional package import
            pytest.fail(f"{module.name}: {missing}")
        for name, thing in vars(loaded).items():
            if (
                name.startswith("_")
                or inspect.ismodule(thing)
                or not getattr(thing, "__module__", module.name).startswith("troth.protect")
            ):
                continue
            yield name
            yield from [each for each in dir(thing) if not each.startswith("__")]
            for callable_ in [thing, *vars(thing).values()] if inspect.isclass(thing) else [thing]:
                if inspect.isfunction(callable_):
                    yield from inspect.signature(callable_).parameters
    yield from TokenFormat
    yield from (brand.name for brand in BRANDS)


def test_nothing_is_named_for_what_may_never_be_kept() -> None:
    names = list(public_names())
    assert {"Pan", "tokenise", "pan.last4"} <= set(names)
    assert [name for name in names if words(name) & FORBIDDEN] == []


@each_row("name", ["cvv", "CVV2", "card_cvc", "PinBlock", "pinBlock", "track2_data", "pan.pin", "hasPIN"])
def test_such_a_name_would_be_found(name: str) -> None:
    assert words(name) & FORBIDDEN
    assert not words("opinion_of_tracking_spinning") & FORBIDDEN
