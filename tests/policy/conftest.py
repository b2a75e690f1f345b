"""A small policy, once in Markdown and once as a saved page."""

import pytest

from troth.policy import PolicyText, read

MARKDOWN = """# Privacy policy

Example Voice Ltd. is a company in the U.K. We follow the GDPR, e.g. Art. 6(1)(a), and other law.

## Who sees it

We do **not** sell your data. Only a few people with [special access rights](/staff) can see it.

## How long

* Recordings are deleted within thirty days after the contract ends.
* You may ask us to delete your data at any time.
    1. Write to privacy@example.org.
    2. We answer within 30 days.

We do **not** sell your data.
"""

PAGE = """<!doctype html><html><head><title>Privacy</title><style>p { color: red }</style></head>
<body><header><a href="/">Example Voice</a></header><nav><ul><li>Shop</ul></nav>
<main><h1>Privacy policy</h1>
<p>Example Voice Ltd. is a company in the U.K. We follow the GDPR, e.g. Art. 6(1)(a), and other law.</p>
<h2>Who sees it</h2><p>We do <strong>not</strong> sell your data. Only a few people with
<a href="/staff">special access rights</a> can see it.</p><script>document.write("We sell it.")</script>
<h2>How long</h2><ul><li>Recordings are deleted within thirty days after the contract ends.</li>
<li>You may ask us to delete your data at any time.<ol><li>Write to privacy&#64;example.org.<li>We answer within 30
days.</ol></li></ul><p hidden>We sell it.</p><p>We do <strong>not</strong> sell your data.</p></main>
<footer>© Example Voice</footer></body></html>
"""


@pytest.fixture
def markdown() -> PolicyText:
    return read(MARKDOWN, kind="markdown")


@pytest.fixture
def page() -> PolicyText:
    return read(PAGE, kind="html")


@pytest.fixture(params=["markdown", "html"])
def either(request: pytest.FixtureRequest) -> PolicyText:
    return read(MARKDOWN, kind="markdown") if request.param == "markdown" else read(PAGE, kind="html")
