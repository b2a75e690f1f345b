"""Breaches on the website: the policy and the links to it, encryption, dead links."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

from troth.rehearsal.breaches import breach
from troth.rehearsal.site import STYLE, ScriptedPage, as_article, policy_path
from troth.rehearsal.stores import Inapplicable
from troth.rehearsal.world import World
from troth.site import HOME
from troth.site.tls import OBSOLETE

SCRIPT = "<script>document.title = document.title</script>"
UNLINKED = "/campaign/"
"""A page to which only advertisements lead."""


def policy_page(world: World) -> ScriptedPage:
    """The page of the policy, as a page that can be changed."""
    page = ScriptedPage(as_article(world.policy.text))
    return world.site.pages.setdefault(policy_path(world.declaration), page)


def page_with_form(world: World) -> ScriptedPage:
    """The first page on which the company asks for data. Raises `Inapplicable`."""
    for point in world.declaration.collection_points.values():
        if point.page in world.site.pages:
            return world.site.pages[str(point.page)]
    raise Inapplicable("no page asks for data")


def style(world: World, rules: str) -> None:
    """Add *rules* to the site's style sheet."""
    world.site.pages[STYLE].body += f" {rules}"


def _link_to_policy(world: World, text: str = "Privacy policy") -> str:
    return f'<a href="{policy_path(world.declaration)}">{text}</a>'


# --- the policy -------------------------------------------------------------------------------------------------------


@breach("site.policy_published", "Somebody cuts the policy on the site, and not its file.")
def shortened_policy(world: World) -> None:
    page = policy_page(world)
    page.body = page.body[: page.body.rindex("<p>")] + "</article>"


@breach("site.policy_published", "An editor adds to the policy on the site that data goes to partners.")
def added_sentence(world: World) -> None:
    page = policy_page(world)
    page.body = page.body.replace("</article>", "<p>We may give your data to our partners.</p></article>")


@breach("site.policy_published", "A box beside the policy says that we sell data.")
def box_beside_policy(world: World) -> None:
    policy_page(world).body += "<div><p>To keep prices low, we sell your data to advertisers.</p></div>"


@breach("site.policy_published", "A style sheet writes behind the policy that data goes to advertisers.")
def styled_sentence(world: World) -> None:
    policy_page(world)
    style(world, 'article::after { content: "We share your data with advertisers." }')


@breach("site.policy_published", "The site moves, and the old address of the policy shows no page.")
def moved_policy(world: World) -> None:
    policy_page(world).status = 404


@breach("site.policy_published", "A redesign takes the link to the policy from a page that asks for data.")
def form_without_policy(world: World) -> None:
    page_with_form(world).left_out += (_link_to_policy(world),)


@breach("site.policy_published", "A script on the policy's page shows other words to visitors from other countries.")
def scripted_policy(world: World) -> None:
    policy_page(world).body += SCRIPT


@breach(
    "site.policy_published",
    "A style sheet hides a paragraph of the policy.",
    unseen="how the policy is styled is not looked at",
)
def hidden_paragraph(world: World) -> None:
    policy_page(world)
    style(world, "article p:last-child { display: none }")


@breach(
    "site.policy_published",
    "A picture beside the policy says that data is sold.",
    unseen="text in pictures is not read",
)
def picture_beside_policy(world: World) -> None:
    world.site.pages["/offer.png"] = ScriptedPage("", kind="image/png")
    policy_page(world).body += '<img src="/offer.png" alt="">'


@breach("site.policy_conspicuous", "A redesign makes the link to the policy small and grey.")
def grey_link(world: World) -> None:
    style(world, "footer nav a { font-size: 7px; color: #ccc }")


@breach("site.policy_conspicuous", "A redesign hides the foot of the page in a menu that is closed.")
def folded_foot(world: World) -> None:
    style(world, "footer nav { display: none }")


@breach("site.policy_conspicuous", "The link is written in the colour of the page.")
def white_link(world: World) -> None:
    style(world, "footer nav a { color: #fff }")


@breach("site.policy_conspicuous", "The link is renamed to 'Legal'.")
def renamed_link(world: World) -> None:
    world.site.foot = world.site.foot.replace(_link_to_policy(world), _link_to_policy(world, "Legal"))


@breach("site.policy_conspicuous", "A campaign takes the link from the first page.")
def link_removed(world: World) -> None:
    world.site.pages[HOME].left_out += (_link_to_policy(world),)


@breach("site.policy_conspicuous", "A script builds the first page, and the link with it.")
def scripted_home(world: World) -> None:
    world.site.pages[HOME].body += SCRIPT


@breach(
    "site.policy_conspicuous",
    "A banner lies over the link and does not go away.",
    unseen="what covers the link is not seen",
)
def covered_link(world: World) -> None:
    world.site.pages[HOME].body += '<div style="position: fixed; bottom: 0; height: 40%; width: 100%">New prices</div>'


@breach(
    "site.policy_conspicuous",
    "The link is hidden on small screens.",
)
def hidden_on_phones(world: World) -> None:
    style(world, "@media (max-width: 600px) { footer nav { display: none } }")


# --- encryption -------------------------------------------------------------------------------------------------------


@breach("site.transport_encrypted", "The address without encryption shows the site.")
def page_in_clear(world: World) -> None:
    world.site.in_clear = ScriptedPage("<h1>Welcome</h1>")


@breach("site.transport_encrypted", "A new load balancer offers TLS 1.0 and 1.1 again, for old telephones.")
def old_protocol(world: World) -> None:
    world.site.tls = replace(world.site.tls, accepts=world.site.tls.accepts | OBSOLETE.keys())


@breach("site.transport_encrypted", "Nobody renews the certificate.")
def expired_certificate(world: World) -> None:
    world.site.tls = replace(world.site.tls, days_left=-1, trusted=False, why_not="certificate has expired")


@breach("site.transport_encrypted", "A new proxy drops Strict-Transport-Security.")
def no_strict_transport(world: World) -> None:
    world.site.strict = ""


@breach("site.transport_encrypted", "A form is sent to an address without encryption.")
def form_in_clear(world: World) -> None:
    page = page_with_form(world)
    host = urlsplit(world.declaration.organisation.site or "").hostname
    page.body = page.body.replace('action="', f'action="http://{host}', 1)


@breach("site.transport_encrypted", "A page shows a picture from an address without encryption.")
def picture_in_clear(world: World) -> None:
    world.site.pages[HOME].body += '<img src="http://pictures.example.org/team.jpg" alt="Our team">'


@breach(
    "site.transport_encrypted",
    "A style sheet loads a picture without encryption.",
    unseen="what style sheets load is not looked at here",
)
def style_in_clear(world: World) -> None:
    style(world, "body { background-image: url(http://pictures.example.org/paper.png) }")


@breach(
    "site.transport_encrypted",
    "The forum on a subdomain has no encryption.",
    unseen="subdomains are other hosts, which are not looked at",
)
def subdomain_in_clear(world: World) -> None:
    world.site.pages[HOME].body += '<a href="http://forum.example.org/">Forum</a>'


# --- links ------------------------------------------------------------------------------------------------------------


def _linked(world: World, path: str, page: ScriptedPage) -> None:
    """A page to which the first page links."""
    world.site.pages[path] = page
    world.site.pages[HOME].body += f'<p><a href="{path}">Prices and delivery</a></p>'


@breach("site.links_alive", "A page is deleted, and the link to it stays.")
def dead_link(world: World) -> None:
    _linked(world, "/prices/", ScriptedPage("<h1>Gone</h1>", status=404))


@breach("site.links_alive", "A page that is linked to breaks with an update.")
def broken_page(world: World) -> None:
    _linked(world, "/prices/", ScriptedPage("<h1>Something went wrong</h1>", status=500))


@breach("site.links_alive", "A link leads to a page that says politely that there is none.")
def polite_missing_page(world: World) -> None:
    _linked(world, "/prices/", ScriptedPage("<h1>Page not found</h1><p>Have a look at our offers.</p>"))


@breach("site.links_alive", "Two redirects lead to each other.")
def redirect_loop(world: World) -> None:
    for path, target in (("/prices/", "/prices"), ("/prices", "/prices/")):
        world.site.pages[path] = ScriptedPage("", 301, [("location", target)])
    world.site.pages[HOME].body += '<p><a href="/prices/">Prices</a></p>'


@breach("site.links_alive", "The site is built anew so that every address shows the first page, and a link is dead.")
def every_address_alike(world: World) -> None:
    world.site.missing = world.site.pages[HOME]
    world.site.pages[HOME].body += '<p><a href="/prices/">Prices</a></p>'


@breach(
    "site.links_alive",
    "The link to a deleted page leads to the first page.",
    unseen="a link that leads to the home page instead counts as alive",
)
def dead_link_home(world: World) -> None:
    _linked(world, "/prices/", ScriptedPage("", 302, [("location", HOME)]))


@breach(
    "site.links_alive",
    "The link to the prices leads to the newsletter.",
    unseen="whether a page says what its link promises is not judged",
)
def wrong_target(world: World) -> None:
    _linked(world, "/prices/", ScriptedPage("<h1>Our newsletter</h1>"))
