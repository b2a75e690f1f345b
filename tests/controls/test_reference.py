"""The reference of controls says what the catalogue and the breaches say."""

from tools import controls

from troth.service.assurance.rehearsal.process import register_breaches


def test_the_reference_of_controls_is_what_the_catalogue_says() -> None:
    register_breaches()
    assert controls.REFERENCE.read_text("utf-8") == controls.reference(), "write it anew: python tools/controls.py"
