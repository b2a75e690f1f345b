"""A page as it is saved from a real site: the policy is found in it, and nothing else."""

import pytest

from troth.policy import Kind, contacts, read

SITE = """<!DOCTYPE html><html lang="en-GB" class="has-sidebar"><head><title>Privacy - Example Shoes</title></head>
<body class="page page-menu header-fixed"><a class="skip-link" href="#content">Skip to content</a>
<div id="onetrust-consent-sdk"><p>We use cookies to make the site better.</p><button>Accept all</button></div>
<div class="cookie-banner"><p>We value your privacy.</p><button>OK</button></div>
<div class="site-header"><div class="main-nav"><a href="/">Home</a> <a href="/shop">Shop</a></div></div>
<ul class="breadcrumb"><li><a href="/">Home</a></li><li><a href="/legal">Legal</a></li></ul>
<div><a href="/login">Sign in</a></div>
<div class="content"><div><h1>Privacy notice</h1></div>
<div class="share-links"><a href="https://social.example.com/?u=1">Share this</a></div>
<div><span style="font-weight: 700">Who we are</span></div>
<div>Example Shoes Ltd (&ldquo;<b>we</b>&rdquo;) sells shoes.<br><br>We are in York.<br>
Write to <a href="mailto:privacy@example.org">privacy@example.org</a>.</div>
<p><strong>What we collect:</strong></p><ul><li>your <strong>name</strong>;<li>your address.</ul>
<p><b>Your rights</b><br>You may ask us for a copy.</p>
<div id="sharing" class="sharing"><h3><button aria-controls="p1">Sharing</button></h3>
<div id="p1" hidden><p>We do not share your data with anybody.</p></div></div>
<details><summary>How long?</summary><p>We keep orders for six years.</p></details>
<dl><dt>Cookie</dt><dd>A small file on your device.</dd></dl>
<p style="display:none">We sell everything.</p>
<p>We use:</p><ul><li><a href="https://count.example.com">Example Count</a></li>
<li><a href="https://pay.example.com">Example Pay</a></li></ul>
<p>Unclosed <b>and & broken</i> text stays</div>
<div class="related-posts"><h4>You may also like</h4><a href="/a">Ten shoes for spring</a><a href="/b">Boots</a></div>
<div id="foot"><div><a href="/about">About us</a></div><div><a href="/jobs">Jobs</a></div>
<div><a href="/t">Terms</a></div>
<div>© 2024 Example Shoes Ltd. All rights reserved.</div></div><script>var x = "We sell it"</script></body></html>
"""


def test_a_saved_page_gives_the_policy_and_nothing_of_the_site() -> None:
    assert [(block.kind, block.depth, block.text) for block in read(SITE, kind="html").blocks] == [
        ("heading", 1, "Privacy notice"),
        ("heading", 2, "Who we are"),
        ("paragraph", 0, "Example Shoes Ltd (“we”) sells shoes."),
        ("paragraph", 0, "We are in York. Write to privacy@example.org."),
        ("heading", 2, "What we collect:"),
        ("list_item", 1, "your name;"),
        ("list_item", 1, "your address."),
        ("heading", 2, "Your rights"),
        ("paragraph", 0, "You may ask us for a copy."),
        ("heading", 3, "Sharing"),
        ("paragraph", 0, "We do not share your data with anybody."),
        ("heading", 4, "How long?"),
        ("paragraph", 0, "We keep orders for six years."),
        ("paragraph", 0, "Cookie"),
        ("list_item", 1, "A small file on your device."),
        ("paragraph", 0, "We use:"),
        ("list_item", 1, "Example Count"),
        ("list_item", 1, "Example Pay"),
        ("paragraph", 0, "Unclosed and & broken text stays"),
    ]


def test_the_words_of_a_saved_page_stand_where_they_are_said_to() -> None:
    policy = read(SITE, kind="html")
    (sentence,) = [sentence for sentence in policy.sentences if sentence.text.startswith("Write to")]
    place = policy.place(sentence, sentence.text.index("privacy@"), len(sentence.text) - 1)
    assert SITE[place.start : place.end] == "privacy@example.org"
    assert SITE.split("\n")[place.line - 1][place.column - 1 :].startswith("privacy@example.org</a>")


@pytest.mark.parametrize(
    "section",
    [
        '<section id="sharing"><h2>Sharing</h2><p>We share it with nobody.</p></section>',
        '<div class="cookie-notice"><h2>Cookies</h2><p>We ask before we set one.</p></div>',
        '<div class="related"><p>We keep <a href="/x">related data</a> as long as the order itself.</p></div>',
        '<div class="menu-page-content footer-less"><p>We sell nothing.</p></div>',
        '<div id="newsletter"><h1>Newsletter policy</h1><a href="/stop">Stop it here</a></div>',
        '<div class="nav"><p>' + "We say much. " * 200 + "</p></div>",
    ],
)
def test_what_a_class_is_called_alone_leaves_no_words_out(section: str) -> None:
    page = f"<html><body><h1>Policy</h1>{section}<p>{'This is more of the text. ' * 10}</p></body></html>"
    words = read(f"<p>{section}</p>", kind="html").text
    assert words in read(page, kind="html").text


def test_a_small_article_beside_the_policy_is_not_taken_for_it() -> None:
    page = "<div><h1>Policy</h1><p>We keep it for thirty days, then delete it.</p></div><article>News</article>"
    assert "thirty days" in read(page, kind="html").text


def test_a_list_of_recipients_at_the_end_stays() -> None:
    page = "<h1>Policy</h1><p>We send it to:</p><ul>" + "".join(
        f'<li><a href="https://{name}.example.com">Example {name}</a></li>' for name in ("pay", "post", "host", "count")
    )
    assert len(read(page + "</ul>", kind="html").blocks) == 6


BODY = (
    "<p>We collect your name and your address, to send you what you bought. We sell them to nobody.</p>"
    "<h2>How long</h2><p>We delete orders after two years, and keep nothing of them but the invoice.</p>"
) * 3
"""Enough words for most of a page."""


def left_out(source: str, kind: Kind = "html") -> list[str]:
    return [block.text for block in read(source, kind=kind).left_out]


@pytest.mark.parametrize(
    "around",
    [
        "<footer><p>We never share it.</p></footer>",
        '<div role="dialog"><p>We never share it.</p></div>',
        "<nav>We never share it.</nav>",
        "<p hidden>We never share it.</p>",
        '<p style="display:none">We never share it.</p>',
        "<p><s>We never share it.</s></p>",
        '<p><span style="text-decoration: line-through">We never share it.</span></p>',
    ],
)
def test_what_is_left_out_of_a_page_is_told_and_is_no_part_of_the_policy(around: str) -> None:
    page = f"<body><h1>Privacy</h1>{BODY}{around}</body>"
    assert left_out(page) == ["We never share it."]
    assert "We never share it." not in read(page, kind="html").text
    assert read(page, kind="html").blocks == read(page.replace(around, ""), kind="html").blocks


def test_what_stands_outside_of_the_main_part_and_at_the_edges_is_told() -> None:
    around = "<p>We never call you.</p><main><h1>Privacy</h1>", "</main><footer>We never share it.</footer>"
    assert left_out(f"<body>{around[0]}{BODY}{around[1]}</body>") == ["We never call you.", "We never share it."]
    assert left_out(f"<body>{BODY}<p>© 2026 Example Ltd. We never share it.</p></body>") == [
        "© 2026 Example Ltd. We never share it."
    ]


def test_scripts_styles_and_links_of_a_word_or_two_are_no_words_that_were_left_out() -> None:
    assert left_out(f"<body><nav><a href=/>Home page</a></nav><script>var a = 'We sell it'</script>{BODY}</body>") == []


def test_what_was_left_out_stands_where_it_is_said_to() -> None:
    page = f"<body>{BODY}\n<footer>\n<p>We never share it.</p></footer></body>"
    (block,) = read(page, kind="html").left_out
    span = block.sentences[0].span
    assert (page[span.start : span.end], span.line) == ("We never share it.", 3)


def test_a_site_of_more_words_than_any_policy_leaves_the_policy_readable() -> None:
    page = (
        f"<body><h1>Privacy</h1>{BODY}<footer>{'<p>We are open today.</p>' * 20_000}</footer><main>{BODY * 700}</main>"
    )
    assert len(read(page, kind="html").left_out) <= 1_000


@pytest.mark.parametrize(
    "opened",
    ["<h1>Privacy<div>", "<nav><a href=/>Home</a>", "<header><a href=/>Home</a>", "<div role=dialog>", "<aside>"],
)
def test_an_element_that_nobody_closed_does_not_take_the_page_with_it(opened: str) -> None:
    blocks = read(f"<body>{opened}{BODY}</body>", kind="html").blocks
    assert [block.text for block in blocks if block.kind == "heading" and block.depth == 2] == ["How long"] * 3
    assert sum(block.kind == "paragraph" for block in blocks) == 6


def test_menus_with_more_words_than_the_policy_are_menus_still() -> None:
    menu = "".join(f"<li><a href=/{place}>Our shop in place number {place}</a></li>" for place in range(40))
    page = f"<body><nav><ul>{menu}</ul></nav><h1>Privacy</h1><p>We keep it for ten days.</p></body>"
    assert read(page, kind="html").text == "Privacy\nWe keep it for ten days."


@pytest.mark.parametrize(
    "trail",
    [
        '<div class="breadcrumb"><a href="/">Home</a> / Our privacy policy, and what it says</div>',
        '<ol aria-label="Breadcrumb"><li><a href="/">Home</a></li><li>Our privacy policy, and what it says</li></ol>',
    ],
)
def test_the_way_to_the_page_is_no_part_of_the_policy(trail: str) -> None:
    policy = read(f"<body>{trail}<h1>Privacy</h1>{BODY}</body>", kind="html")
    assert policy.blocks[0].text == "Privacy"
    assert contacts(policy) == []


def test_a_box_that_is_called_breadcrumb_and_leads_nowhere_stays() -> None:
    assert "We keep" in read(f'<h1>P</h1><p class="breadcrumb">We keep it.</p>{BODY}', kind="html").text


@pytest.mark.parametrize(
    ("text", "kept", "struck"),
    [
        ("~~We never sell it.~~ We keep it.", "We keep it.", ["We never sell it."]),
        ("We keep it <del>for ten days</del> <ins>for a year</ins>.", "We keep it for a year.", ["for ten days"]),
        ("- We keep it.\n- ~~We share it with nobody.~~", "We keep it.", ["We share it with nobody."]),
        ("We keep ~~ it ~~ for ~5 days.", "We keep ~~ it ~~ for ~5 days.", []),
    ],
)
def test_what_is_struck_out_in_markdown_is_not_said(text: str, kept: str, struck: list[str]) -> None:
    assert (read(text).text, left_out(text, "markdown")) == (kept, struck)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('<p>Before.</p><h2 id="there">There</h2>', "html"),
        ('<p>Before.</p><section id="there"><h2>There</h2></section>', "html"),
        ('<p>Before.</p><a name="there"></a><h2>There</h2>', "html"),
        ('Before.\n\n<div id="there"></div>\n\nThere', "markdown"),
    ],
)
def test_a_name_to_which_a_link_leads_is_of_the_words_behind_it(text: str, kind: Kind) -> None:
    assert [(block.text, block.anchors) for block in read(text, kind=kind).blocks] == [
        ("Before.", ()),
        ("There", ("there",)),
    ]
