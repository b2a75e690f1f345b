"""What comes out is safe to show, with an anchor at every sentence."""

from hypothesis import given
from hypothesis import strategies as st
from tests.tables import each_row

from troth.policy import Cell, PolicyText, read, render_plain


def test_every_sentence_has_its_anchor(either: PolicyText) -> None:
    page = render_plain(either)
    assert all(page.count(f'id="{sentence.id}"') == 1 for sentence in either.sentences)


def test_a_rendered_policy_reads_the_same_again(either: PolicyText) -> None:
    again = read(render_plain(either), kind="html")
    assert again.published == either.published
    assert [(block.kind, block.depth) for block in again.blocks] == [
        (block.kind, block.depth) for block in either.blocks
    ]


def test_links_stay_and_lead_out_safely(either: PolicyText) -> None:
    assert '<a href="/staff" rel="noopener noreferrer">special access rights</a>' in render_plain(either)


@each_row(
    "hostile",
    [
        "[click](javascript:alert(1))",
        "<script>alert(1)</script>We keep it.",
        "<img src=x onerror=alert(1)>We keep it.",
        '<p onclick="alert(1)">We keep it.</p>',
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        '[a](<x" onclick="alert(1)>)',
    ],
)
@each_row("kind", ["markdown", "html"])
def test_nothing_hostile_comes_out(hostile: str, kind: str) -> None:
    page = render_plain(read(hostile, kind="markdown" if kind == "markdown" else "html"))
    for trap in ("<script", "<img", 'onclick="', "onerror=", 'href="javascript'):
        assert trap not in page.replace("&quot;", "'")


def test_a_table_comes_out_as_a_table() -> None:
    page = render_plain(read("| Data | Why |\n|---|---|\n| Name | To ask. |\n"))
    assert page.startswith(('<table><tbody><tr><th><span id="', '<table><tr><th><span id="'))
    assert page.count("<tr>") == page.count("<th>") == page.count("<td>") == 2
    assert [block.cell for block in read(page, kind="html").blocks][-1] == Cell(0, 1, 1)


def test_text_that_looks_like_a_tag_stays_text() -> None:
    assert "&lt;script&gt;" in render_plain(read("We never use a `<script>` of others."))


@given(st.text(alphabet=st.sampled_from("ab<>/\"'= &;[]()*:.\n"), max_size=120))
def test_no_tag_comes_out_but_ours(text: str) -> None:
    page = render_plain(read(text))
    assert all(
        tag.split(">")[0].split(" ")[0].strip("/")
        in {"p", "span", "a", "ul", "ol", "li", "h1", "h2", "h3", "table", "tbody", "tr", "th", "td"}
        for tag in page.split("<")[1:]
    )
