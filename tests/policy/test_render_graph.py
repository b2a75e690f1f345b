"""The notice's graph, as somebody else's RDF library reads it: every row is there, and nothing is said of too much."""

from __future__ import annotations

import pytest
from rdflib import RDF, XSD, BNode, Graph, Literal, Namespace, URIRef
from rdflib.term import Node
from tests.policy.declared import CLINIC, SHOP, VOICE, declared

from troth.policy.render import content_of, render

pytestmark = pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated")  # the library's own use of it

DPV = Namespace("https://w3id.org/dpv#")
DCT = Namespace("http://purl.org/dc/terms/")
OURS = ("https://w3id.org/dpv", "http://purl.org/dc/terms/", "http://www.w3.org/")
BASE = "https://www.example.org/policy/"


def _is_term(node: Node) -> bool:
    return isinstance(node, URIRef) and str(node).startswith(OURS) and not str(node).endswith("#")


@pytest.fixture(scope="module", params=[VOICE, SHOP, CLINIC], ids=lambda path: path.stem)
def read(request: pytest.FixtureRequest) -> tuple[Graph, int]:
    declaration = declared(request.param)
    graph = Graph().parse(data=render(declaration).json_ld, format="json-ld", publicID=BASE)
    return graph, sum(len(rows) for rows in content_of(declaration).rows.values())


def test_every_row_is_a_node_with_a_type(read: tuple[Graph, int]) -> None:
    graph, rows = read
    assert len(list(graph.subjects(RDF.type, DPV.PrivacyNotice))) == 1
    named = {node for node in graph.subjects() if isinstance(node, URIRef) and "#" in node}
    assert len(named) == rows
    assert all(len(set(graph.objects(node, RDF.type))) == 1 for node in named)


def test_nothing_is_said_of_a_term_of_the_vocabulary(read: tuple[Graph, int]) -> None:
    graph, _ = read
    assert not {node for node in graph.subjects() if _is_term(node)}


def test_every_property_and_type_is_of_a_vocabulary(read: tuple[Graph, int]) -> None:
    graph, _ = read
    used = {*graph.predicates(), *graph.objects(predicate=RDF.type)}
    assert {term for term in used if not _is_term(term)} == set()


def test_what_is_asked_for_is_needed_or_not_but_never_both(read: tuple[Graph, int]) -> None:
    graph, _ = read
    asked = list(graph.subject_objects(DPV.hasNecessity))
    assert asked
    assert len({node for node, _ in asked}) == len(asked)
    assert {need for _, need in asked} <= {DPV.Required, DPV.Optional}
    assert all(isinstance(node, BNode) for node, _ in asked)


def test_a_period_is_a_duration() -> None:
    graph = Graph().parse(data=render(declared(VOICE)).json_ld, format="json-ld", publicID=BASE)
    [history] = graph.subjects(DCT.title, Literal("Sign-in history"))
    assert list(graph.objects(history, DPV.hasDuration)) == [Literal("P90D", datatype=XSD.duration)]
