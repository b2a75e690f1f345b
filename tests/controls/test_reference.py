"""The references of controls and of mutations say what the catalogue and the tests say."""

from tools import controls, mutations

from troth.controls import catalogue


def test_the_reference_of_controls_is_what_the_catalogue_says() -> None:
    assert controls.REFERENCE.read_text("utf-8") == controls.reference(), "write it anew: python tools/controls.py"


def test_the_page_of_mutations_lists_every_fault_that_a_test_plants() -> None:
    planted = {(each.control, each.fault) for each in mutations.planted()}
    listed = {(each.control, each.fault) for each in mutations.listed(mutations.REFERENCE.read_text("utf-8"))}
    assert listed == planted, "write it anew: make mutations"


def test_every_control_and_each_kind_of_own_ones_has_a_mutation_that_broke_its_promise() -> None:
    listed = mutations.listed(mutations.REFERENCE.read_text("utf-8"))
    broke = {each.control for each in listed if each.outcomes.endswith("fail") and each.status == "broken"}
    assert broke == set(catalogue()) | {"ours.no_late_calls", "ours.queue_is_short", "ours.doors_locked"}
