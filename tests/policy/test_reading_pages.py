"""A page as it is saved from a real site: the policy is found in it, and nothing else."""

import pytest

from troth.policy import read

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
