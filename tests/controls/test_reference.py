"""The reference of controls says what the catalogue and the breaches say."""

from tools import controls

from troth.controls import catalogue
from troth.rehearsal import breaches
from troth.service.assurance.rehearsal.process import register_breaches


def test_the_reference_of_controls_is_what_the_catalogue_says() -> None:
    register_breaches()
    assert controls.REFERENCE.read_text("utf-8") == controls.reference(), "write it anew: python tools/controls.py"


def test_every_control_has_a_breach_that_it_notices_and_three_more() -> None:
    register_breaches()
    few = {id_: len(several) for id_, several in breaches().items() if len(several) < 4}
    blind = [id_ for id_, several in breaches().items() if all(it.unseen for it in several)]
    assert (few, blind) == ({}, [])
    assert breaches().keys() == catalogue().keys()
