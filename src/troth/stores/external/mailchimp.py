"""A list ("audience") of Mailchimp: ``mailchimp:LIST``, over the few endpoints of its Marketing API 3.0 that we need.

What the API does was read from its documentation and from public reports, and tried with a fake of ours only; see
``docs/howto/connect-mailchimp.md``. The rules that follow from it:

- nothing here sets a status upwards: `MailchimpList.add` leaves members as they are who are there already;
- it allows 10 connections for each account, and tells of more by 429 or by a bare 403, so that one is a pause;
- reading, stopping and deleting are repeated after a lost answer: to do them twice is to do them once;
- the ``detail`` of its errors quotes addresses, so only their ``title`` is read; the URL of a search has an address in
  it, so no URL is logged, and none is in an error.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
import random
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

import httpx

from troth.declaration import ExternalAccess
from troth.hook import Answer, AnswerState, Ask, Right
from troth.stores.contract import StoreRefused, StoreUnreachable
from troth.stores.external.contract import AskedLater, Questioner
from troth.stores.external.http import is_here, proxy_of
from troth.stores.external.list_members import Member, MemberStatus, is_mailed, member_id

CONNECTIONS_MAX: Final = 10
_ADDED_MAX = 500
"""Members that one call may add."""
_PAGE, _STEP = 1000, 950
"""Members on a page, and between the starts of two: a member that is deleted meanwhile moves all later ones forward."""
_AHEAD = 2 * CONNECTIONS_MAX
"""Pages that are fetched before they are needed."""
_TRIES_MAX = 4
_PAUSE_S = 0.5
_LOOKS = 3
"""How often an erasure looks whether the member is gone: what was written is not visible at once."""
_LATER_S = 60
_BYTES_MAX = 32 * 1024 * 1024
_RIGHTS = frozenset((Right.VIEW, Right.PORT, Right.AMEND, Right.ERASE, Right.OBJECT, Right.WITHDRAW))
_KEY = re.compile(r"[A-Za-z0-9]{8,64}-([a-z]{2,4}[0-9]{1,3})")
_LIST = re.compile(r"[A-Za-z0-9]{4,32}")
_EVENTS = ("subscribe", "unsubscribe", "profile", "cleaned", "upemail", "campaign")


_TITLES: Final[Mapping[str, MemberStatus]] = {
    "Forgotten Email Not Subscribed": MemberStatus.FORGOTTEN,
    "Member In Compliance State": MemberStatus.COMPLIANCE,
}


def open_list(
    name: str, url: str, asking: ExternalAccess, key: str | None, *, sleep: Callable[[float], None] = time.sleep
) -> MailchimpList:
    """The list that *url* names, ``mailchimp:LIST``; ``mailchimp:http://localhost:PORT/LIST`` is a fake. Opens no
    connection yet. Raises `StoreRefused` for a wrong list or key, and names the setting."""
    setting = (asking.secret or "").strip("${}") or "asked.secret"
    where, wrong = url.removeprefix("mailchimp:"), ""
    fake, list_id = where.rpartition("/")[::2] if "/" in where else ("", where)
    found = _KEY.fullmatch(key or "")
    if found is None:
        wrong = f"{setting} is not an API key of Mailchimp, which ends with its data centre, such as -us19"
    elif not _LIST.fullmatch(list_id):
        wrong = f"the store of {name} is not mailchimp: and the id of an audience, such as mailchimp:a1b2c3d4e5"
    elif fake and not (urlsplit(fake).scheme == "http" and is_here(urlsplit(fake).hostname or "")):
        wrong = f"the store of {name} may name a server on localhost only; for Mailchimp write mailchimp:LIST"
    if wrong or found is None or key is None:
        raise StoreRefused(wrong, store=name)
    base = f"{fake}/3.0" if fake else f"https://{found[1]}.api.mailchimp.com/3.0"
    return MailchimpList(name, base, list_id, key, setting=setting, timeout_s=asking.timeout_s, sleep=sleep)


def connect(
    name: str, url: str, asking: ExternalAccess, key: str | None, *, sleep: Callable[[float], None] = time.sleep
) -> Questioner:
    """The list as a system that is asked. Raises as `open_list` does."""
    return Questioner(name, asking, _Channel(open_list(name, url, asking, key, sleep=sleep), sleep))


class MailchimpList:
    """One list. Every method raises `AskedLater` if the provider throttles us, `StoreUnreachable` if it does not answer
    (what was asked may have been done), and `StoreRefused` for a wrong key, list or data centre. Safe for several
    threads."""

    def __init__(
        self, name: str, base: str, list_id: str, key: str, *, setting: str, timeout_s: float,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:  # fmt: skip
        self.name, self.list_id = name, list_id
        self.is_fake = base.startswith("http:")
        self._base, self._path, self._setting, self._timeout_s, self._sleep = (
            base,
            f"lists/{list_id}",
            setting,
            timeout_s,
            sleep,
        )
        self._headers = {"Authorization": f"Bearer {key}", "Accept-Encoding": "identity"}
        self._lock, self._is_known = threading.Lock(), False
        self._transport: httpx.HTTPTransport | None = None

    def __repr__(self) -> str:
        return f"MailchimpList({self.name})"

    # --- reading

    def look_up(self) -> None:
        """Check that the list exists and the key opens it."""
        status, _ = self._call("GET", self._path, {"fields": "id"})
        if status == 404:
            message = f"Mailchimp has no audience of the id that the store of {self.name} names, or not in this account"
            raise StoreRefused(f"{message}; see Audience, Settings, Audience name and defaults", store=self.name)
        self._is_known = True

    def record(self, id_: str) -> Mapping[str, Any] | None:
        """Everything that the list holds about a member; None if nobody has this id now, which does not say whether
        somebody had."""
        status, held = self._call("GET", f"{self._path}/members/{id_}")
        if status == 404 and not self._is_known:
            self.look_up()  # a wrong list has the same answer as a member who is not there
        return None if status == 404 else held

    def member(self, id_: str) -> Member | None:
        """The member with this id, if there is one now."""
        held = self.record(id_)
        return None if held is None else _member(held)

    def hits(self, address: str) -> int:
        """How many members a search for exactly this address finds, in another index than `record`."""
        query = {
            "query": address,
            "list_id": self.list_id,
            "fields": "exact_matches.members.id,exact_matches.total_items",
        }
        _, found = self._call("GET", "search-members", query)
        return int(found.get("exact_matches", {}).get("total_items", 0))

    def members(self, *, since: dt.datetime | None = None) -> Iterator[list[Member]]:
        """All members, archived ones too, in pages over several connections; or those that changed after *since*. A
        member may be in several pages."""
        fields = "members.id,members.email_address,members.status,members.last_changed,total_items"
        asked = {"count": _PAGE, "fields": fields} | ({"since_last_changed": since.isoformat()} if since else {})
        self.look_up()
        with ThreadPoolExecutor(CONNECTIONS_MAX) as threads:
            for status in ({}, {"status": "archived"}):
                page, total = self._page({**asked, **status, "offset": 0})
                yield page
                starts = iter(range(_STEP, total, _STEP))
                ahead = deque(
                    threads.submit(self._page, {**asked, **status, "offset": n}) for n in islice(starts, _AHEAD)
                )
                while ahead:  # few pages are in memory at a time
                    yield ahead.popleft().result()[0]
                    ahead += [threads.submit(self._page, {**asked, **status, "offset": n}) for n in islice(starts, 1)]

    def _page(self, query: Mapping[str, object]) -> tuple[list[Member], int]:
        _, found = self._call("GET", f"{self._path}/members", query)
        return [_member(held) for held in found.get("members", ())], int(found.get("total_items", 0))

    def tracking_campaigns(self) -> tuple[int, list[str]]:
        """How many campaigns the list has, and the ids of those that count who opens them or who clicks."""
        fields = "campaigns.id,campaigns.tracking,total_items"
        seen, tracking = 0, list[str]()
        while True:
            query = {"list_id": self.list_id, "count": _PAGE, "offset": seen, "fields": fields}
            found = self._call("GET", "campaigns", query)[1].get("campaigns", [])
            seen += len(found)
            tracking += [str(campaign["id"]) for campaign in found if any((campaign.get("tracking") or {}).values())]
            if len(found) < _PAGE:
                return seen, tracking

    def has_webhook(self, url: str) -> bool:
        """Whether the list calls *url* for every event of people and staff."""
        _, found = self._call("GET", f"{self._path}/webhooks")
        return any(
            hook.get("url") == url
            and all(hook.get("events", {}).get(event) for event in _EVENTS)
            and {key: bool(hook.get("sources", {}).get(key)) for key in _SOURCES} == _SOURCES
            for hook in found.get("webhooks", ())
        )

    # --- writing: downwards, or somebody who is not there

    def make_webhook(self, url: str) -> bool:
        """Have the list call *url*, which it tries first with a GET. False if it refuses."""
        body = {"url": url, "events": dict.fromkeys(_EVENTS, True), "sources": _SOURCES}
        status, _ = self._call("POST", f"{self._path}/webhooks", body=body, is_repeatable=False)
        return status == 200

    def add(
        self, people: Mapping[str, Mapping[str, str]], status: MemberStatus = MemberStatus.SUBSCRIBED
    ) -> Mapping[str, MemberStatus | None]:
        """Add *people*, up to 500: address to merge fields. Who is on the list already stays as they are. Returns, for
        each address that was not added, the final status that the provider names, or None."""
        assert len(people) <= _ADDED_MAX, "one call adds no more"
        new = [
            {"email_address": address, "status": str(status), "merge_fields": dict(fields)}
            for address, fields in people.items()
        ]
        answer_to, done = self._call("POST", self._path, body={"members": new, "update_existing": False})
        if answer_to != 200:
            raise self._strange(answer_to)
        refused = dict[str, MemberStatus | None]()
        by_id = {member_id(address): address for address in people}
        for error in done.get("errors", ()):
            if address := by_id.get(member_id(str(error.get("email_address", "")))):
                words = f"{error.get('error_code', '')} {error.get('error', '')}".lower()
                is_forgotten, is_stopped = "permanently deleted" in words, "compliance state" in words
                refused[address] = (
                    MemberStatus.FORGOTTEN if is_forgotten else MemberStatus.COMPLIANCE if is_stopped else None
                )
        return refused

    def unsubscribe(self, id_: str) -> bool:
        """Set the status to ``unsubscribed``. False if nobody has this id now."""
        status, problem = self._call("PATCH", f"{self._path}/members/{id_}", body={"status": "unsubscribed"})
        if status not in (200, 404) and problem.get("title") not in _TITLES:
            raise self._strange(status)
        return status != 404

    def unsubscribe_all(self, ids: Iterable[str]) -> None:
        """`unsubscribe` for many, over several connections."""
        with ThreadPoolExecutor(CONNECTIONS_MAX) as threads:
            list(threads.map(self.unsubscribe, ids))

    def amend(self, id_: str, *, address: str | None, fields: Mapping[str, object]) -> str:
        """Change a member's address and merge fields. Returns a code: empty, ``gone``, or why it is refused."""
        body: dict[str, object] = {"merge_fields": dict(fields)} if fields else {}
        body |= {"email_address": address} if address is not None else {}
        status, problem = self._call("PATCH", f"{self._path}/members/{id_}", body=body)
        if status in (200, 404):
            return "gone" if status == 404 else ""
        return "address_taken" if problem.get("title") == "Member Exists" else "value_refused"

    def delete(self, id_: str) -> bool:
        """Delete a member for good: nobody can add the address again but the person. False if the provider refuses it,
        as for what bounced; true if nobody has this id."""
        status, _ = self._call("POST", f"{self._path}/members/{id_}/actions/delete-permanent")
        if status not in (200, 204, 404, 400, 405):
            raise self._strange(status)
        return status not in (400, 405)

    def close(self) -> None:
        """Release connections. They are reopened on use."""
        with self._lock:
            opened, self._transport = self._transport, None
        if opened is not None:
            opened.close()

    # --- one call

    def _call(
        self, method: str, path: str, query: Mapping[str, object] | None = None, *, body: object = None,
        is_repeatable: bool = True,
    ) -> tuple[int, dict[str, Any]]:  # fmt: skip
        """The status and the JSON of the answer. Repeats what was throttled, and with *is_repeatable* what may have
        been done."""
        for attempt in range(_TRIES_MAX):
            try:
                return self._once(method, path, query, body)
            except (AskedLater, StoreUnreachable) as trouble:
                was_refused = isinstance(trouble, AskedLater)
                if attempt + 1 == _TRIES_MAX or not (was_refused or is_repeatable):
                    raise
            self._sleep(_PAUSE_S * 2**attempt * random.uniform(0.5, 1.5))  # noqa: S311 - spreads load
        raise AssertionError("the last try returns or raises")

    def _once(
        self, method: str, path: str, query: Mapping[str, object] | None, body: object
    ) -> tuple[int, dict[str, Any]]:
        url = f"{self._base}/{quote(path)}" + (f"?{urlencode(query)}" if query else "")
        content = None if body is None else json.dumps(body).encode()
        headers = self._headers | ({"Content-Type": "application/json"} if body is not None else {})
        failed = ""
        try:
            request = httpx.Request(
                method, url, headers=headers, content=content,
                extensions={"timeout": httpx.Timeout(self._timeout_s).as_dict()},
            )  # fmt: skip
            with contextlib.closing(self._opened().handle_request(request)) as answer:
                said = bytearray()
                for piece in answer.iter_raw():
                    said += piece
                    if len(said) > _BYTES_MAX:
                        raise self._strange(answer.status_code)
                return self._read(answer.status_code, answer.headers, bytes(said))
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError) as error:
            failed = type(error).__name__  # the error's text may contain the address
        raise StoreUnreachable(f"Mailchimp does not answer for {self.name} ({failed})", store=self.name, retryable=True)

    def _opened(self) -> httpx.HTTPTransport:
        """A bare transport: an httpx client would log addresses, keep cookies and read the environment."""
        with self._lock:
            if self._transport is None:
                limits = httpx.Limits(max_connections=CONNECTIONS_MAX, max_keepalive_connections=CONNECTIONS_MAX)
                proxy = None if self.is_fake else proxy_of(self._base)
                self._transport = httpx.HTTPTransport(limits=limits, proxy=proxy)
            return self._transport

    def _read(self, status: int, headers: httpx.Headers, content: bytes) -> tuple[int, dict[str, Any]]:
        try:
            answer = json.loads(content) if content.strip() else {}
        except ValueError:
            answer = None
        title = answer.get("title") if isinstance(answer, dict) else None
        if status == 429 or (status == 403 and not title):  # the firewall in front of the API answers without a title
            wait = headers.get("retry-after", "")
            wait_s = int(wait) if re.fullmatch(r"[0-9]{1,5}", wait) else _LATER_S
            raise AskedLater(f"Mailchimp throttles {self.name}", store=self.name, retry_after_s=wait_s)
        if status >= 500:
            raise StoreUnreachable(f"Mailchimp answers for {self.name} with {status}", store=self.name, retryable=True)
        if status in (401, 403):
            what = "belongs to another data centre" if title == "Wrong Datacenter" else "is refused by Mailchimp"
            raise StoreRefused(
                f"the API key in {self._setting} {what}; make another one in the account", store=self.name
            )
        if not isinstance(answer, dict) or 300 <= status < 400:
            raise self._strange(status)
        return status, answer

    def _strange(self, status: int) -> StoreRefused:
        return StoreRefused(
            f"Mailchimp's answer for {self.name} is not one that its API gives ({status})", store=self.name
        )


_SOURCES: Final[Mapping[str, bool]] = {"user": True, "admin": True, "api": False}
"""What webhooks tell of: nothing that we did ourselves."""


def _member(held: Mapping[str, Any]) -> Member:
    try:
        changed = dt.datetime.fromisoformat(str(held.get("last_changed") or ""))
    except ValueError:
        changed = None
    if changed is not None and changed.tzinfo is None:
        changed = changed.replace(tzinfo=dt.UTC)
    address = str(held.get("email_address") or "")
    return Member(str(held.get("id") or member_id(address)), address, str(held.get("status") or ""), changed)


class _Channel:
    """The list as a system that answers for its members."""

    def __init__(self, list_: MailchimpList, sleep: Callable[[float], None]) -> None:
        self._list, self._sleep = list_, sleep

    def ask(self, ask: Ask) -> Answer:
        addresses = list(dict.fromkeys(ask.all("email")))
        held = {address: record for address in addresses if (record := self._list.record(member_id(address)))}
        match ask.right:
            case Right.VIEW | Right.PORT:
                return Answer.found({"member": map(_row, held.values())})
            case Right.AMEND:
                return self._amend(list(held), ask.changes)
            case Right.ERASE:
                return self._erase(addresses, list(held))
            case Right.OBJECT | Right.WITHDRAW:
                mailed = [address for address, record in held.items() if is_mailed(_member(record).status)]
                return Answer.did(stopped=sum(self._list.unsubscribe(member_id(address)) for address in mailed))
        return Answer.refused("right_not_answered")

    def poll(self, ask_id: str) -> Answer:
        return Answer.refused("unknown_ask")  # each answer is final

    def verify(self, ask: Ask) -> Answer:
        addresses = ask.all("email")
        if ask.right is Right.ERASE:
            shown = self._shown(addresses)
            left = sum(map(bool, shown))
            return (
                Answer.failed("still_there", rows=left)
                if left
                else Answer(AnswerState.NOTHING, evidence=_digest(shown))
            )
        if ask.right is Right.AMEND and "email" in ask.changes:
            is_there = self._list.member(member_id(str(ask.changes["email"]))) is not None
            return Answer(AnswerState.DONE) if is_there else Answer.failed("not_amended", fields=1)
        if ask.right in (Right.OBJECT, Right.WITHDRAW):
            members = [self._list.member(member_id(address)) for address in addresses]
            left = sum(member is not None and is_mailed(member.status) for member in members)
            return Answer.failed("still_subscribed", rows=left) if left else Answer(AnswerState.DONE)
        return Answer.refused("not_verified")

    def offers(self) -> frozenset[Right]:
        self._list.look_up()
        return _RIGHTS

    def close(self) -> None:
        self._list.close()

    def _amend(self, addresses: Sequence[str], changes: Mapping[str, object]) -> Answer:
        fields = {name: "" if value is None else value for name, value in changes.items() if name != "email"}
        new = str(changes["email"]) if "email" in changes else None
        codes = [self._list.amend(member_id(address), address=new, fields=fields) for address in addresses]
        refused = next((code for code in codes if code not in ("", "gone")), None)
        return Answer.failed(refused) if refused else Answer.did(amended=codes.count(""))

    def _erase(self, addresses: Sequence[str], held: Sequence[str]) -> Answer:
        """Delete who is there, and look again at every address, until nothing is visible any more."""
        if not all(list(map(self._list.delete, map(member_id, held)))):
            return Answer.refused("not_deletable")  # staff have to write to the provider
        for look in range(_LOOKS if held else 0):
            self._sleep(_PAUSE_S * 2**look if look else 0)
            if not any(shown := self._shown(addresses)):
                counts = {"erased": len(held), "looked_up_again": len(addresses)}
                return Answer(AnswerState.DONE, counts=counts, evidence=_digest(shown))
        return Answer.did(erased=len(held))  # `verify` looks later, and fails as long as it is visible

    def _shown(self, addresses: Iterable[str]) -> list[int]:
        """For each address, how many members its id and a search for it show."""
        return [(self._list.record(member_id(one)) is not None) + self._list.hits(one) for one in addresses]


def _row(held: Mapping[str, Any]) -> dict[str, object]:
    merged = held.get("merge_fields") or {}
    plain = ("status", "language", "timestamp_signup", "ip_signup", "timestamp_opt", "ip_opt", "last_changed")
    tags = ", ".join(str(tag.get("name", "")) for tag in held.get("tags") or ())
    return {
        "email": held.get("email_address"),
        **{
            name: value if isinstance(value, str | int | float) else json.dumps(value) for name, value in merged.items()
        },
        **{name: str(held[name]) for name in plain if held.get(name)},
        **({"tags": tags} if tags else {}),
    }


def _digest(shown: Sequence[int]) -> str:
    """Digest of what was shown: for each address, the members found by its id and by a search."""
    return (
        "sha256:" + hashlib.sha256(json.dumps({"mailchimp": "member and search", "found": shown}).encode()).hexdigest()
    )
