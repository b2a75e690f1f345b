"""Addresses whose letters only look like others."""

from __future__ import annotations

import pytest

from troth.subjects import Identity, IdentityRefused


@pytest.mark.parametrize("address", ["\N{KELVIN SIGN}im@example.org", "ann@ex\N{KELVIN SIGN}.org"])
def test_an_address_in_disguise_names_nobody(address: str) -> None:
    with pytest.raises(IdentityRefused):
        Identity.of(email=address)


def test_letters_that_stay_themselves_are_welcome() -> None:
    assert Identity.of(email="zoë@example.org").identifiers
