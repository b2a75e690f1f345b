"""A fake Mailchimp: the part of its Marketing API 3.0 that Troth uses, over HTTP, with its traps.

    with FakeMailchimp().served() as url:                   # http://127.0.0.1:40123
        open_list("mailchimp", f"mailchimp:{url}/{LIST}", asking, KEY)

Bodies, titles and statuses are those that the documentation and public reports show. Each trap of `Traps` can be
switched. What people and staff do at the provider are methods; webhooks wait in `events` until a test delivers, loses,
doubles or shuffles them.
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
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import httpx

KEY = "0123456789abcdef0123456789abcdef-us19"
LIST = "a1b2c3d4e5"
HOOK = "https://example.org/hooks/mailchimp/secret"
_DOCS = "https://mailchimp.com/developer/marketing/docs/errors/"
_NOT_FOUND = "The requested resource could not be found."
_FORGOTTEN = "was permanently deleted and cannot be re-imported. The contact must re-subscribe to get back on the list."
_COMPLIANCE = "is in a compliance state due to unsubscribe, bounce, or compliance review and cannot be subscribed."
_BOUNCED = "This list member cannot be removed. Can not archive a contact that is bounced, pending or archived"
_STATUSES = ("subscribed", "unsubscribed", "cleaned", "pending", "transactional")

Answer = tuple[int, dict[str, str], bytes]
Form = dict[str, str]


class Killed(BaseException):
    """Our process was killed while it waited for an answer; what was asked has been done, or not."""


class Lost(Exception):
    """The answer did not arrive; what was asked has been done."""


@dataclass
class Traps:
    """Switches. Shares are of calls, and drawn with the fake's seed."""

    throttled: float = 0.0
    """Refused with 429, or with a bare 403."""
    lost: float = 0.0
    """Answers that do not arrive after the effect."""
    killed: float = 0.0
    """Our process is killed, half of them before the effect."""
    broken: float = 0.0
    """500 before the effect."""
    lag_calls: int = 0
    """How many calls later a write is visible."""
    connections: int = 10
    cleaned_stays: bool = False
    """Deleting what bounced for good is refused with 405, as archiving it is."""
    required: tuple[str, ...] = ()
    """Merge fields that must have a value."""
    import_resubscribes: bool = True
    """Importing a file with “update existing contacts” subscribes everybody in it, also who had been unsubscribed."""
    slow_s: float = 0.0
    echoes: bool = False
    """Webhooks come for what the API did, too, whatever ``sources`` says."""


@dataclass
class FakeMailchimp:
    """One account with one list. Safe for several threads."""

    seed: int = 0
    traps: Traps = field(default_factory=Traps)
    list_id: str = LIST
    key: str = KEY
    probe: Callable[[str], int] | None = None
    """Called when a webhook is made: the status of a GET of its URL."""

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.lock = threading.RLock()
        self.members: dict[str, dict[str, Any]] = {}
        self.forgotten: set[str] = set()
        self.compliance: set[str] = set()
        self.hooks: list[dict[str, Any]] = []
        self.campaigns: list[dict[str, Any]] = []
        self.batches: list[dict[str, Any]] = []
        self.events: list[Form] = []
        self.calls: list[tuple[str, str]] = []
        self.upwards: list[tuple[str, str, str]] = []
        """What the API was asked to set upwards: id, status before (or none), status after."""
        self.open = self.open_most = 0
        self._now = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
        self._writes = 0
        self._listed: tuple[int, str | None, list[dict[str, Any]]] = (-1, None, [])
        self._old: dict[str, tuple[int, dict[str, Any] | None]] = {}

    # --- what people and staff do

    def status(self, address: str) -> str | None:
        held = self.members.get(_id(address))
        return None if held is None else str(held["status"])

    def add(self, address: str, status: str = "subscribed", **merged: str) -> None:
        """Somebody who is on the list from the beginning."""
        self._write(address, status, merged)

    def person_subscribes(self, address: str) -> None:
        """At the provider's own form, confirmed: also who was deleted or had unsubscribed comes back."""
        self.forgotten.discard(_id(address))
        self.compliance.discard(_id(address))
        self._write(address, "subscribed", {})
        self._tell("subscribe", "user", address)

    def person_unsubscribes(self, address: str, reason: str = "manual") -> None:
        """By the link in a campaign, or as a complaint (``abuse``)."""
        if self.status(address) in ("subscribed", "pending"):
            self.compliance.add(_id(address))
            self._write(address, "unsubscribed", {})
            self._tell("unsubscribe", "user", address, action="unsub", reason=reason)

    def bounces(self, address: str, reason: str = "hard") -> None:
        if self.status(address) == "subscribed":
            self.compliance.add(_id(address))
            self._write(address, "cleaned", {})
            self._tell("cleaned", "user", address, reason=reason)

    def person_moves(self, old: str, new: str) -> None:
        """Changes the address of a membership."""
        with self.lock:
            held = self.members.pop(_id(old), None)
            if held is None or _id(new) in self.members:
                return
            self.members[_id(new)] = held | {"id": _id(new), "email_address": new, "last_changed": self._tick()}
            self._queue("upemail", "user", {"new_id": _id(new), "new_email": new, "old_email": old})

    def staff_archives(self, address: str) -> None:
        if self.status(address) in ("subscribed", "unsubscribed"):
            self._write(address, "archived", {})
            self._tell("unsubscribe", "admin", address, action="delete", reason="manual")

    def staff_imports(self, *addresses: str) -> None:
        """A file with these addresses is imported. Who was deleted for good is left out, as the provider does, unless
        the file is old and the account a new one; the fake lets them in when a test forgets that they were deleted."""
        for address in addresses:
            there = self.status(address)
            may = _id(address) not in self.forgotten and there != "cleaned"
            if may and (there is None or self.traps.import_resubscribes):
                self.compliance.discard(_id(address))
                self._write(address, "subscribed", {})
                self._tell("subscribe", "admin", address)

    # --- the API

    @contextlib.contextmanager
    def served(self) -> Iterator[str]:
        """The fake over HTTP on a local port."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def transport(self) -> httpx.BaseTransport:
        """The fake without a socket, for many short runs."""
        return _Transport(self)

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Answer one request, or raise `Lost`."""
        with self.lock:
            self.open += 1
            self.open_most = max(self.open_most, self.open)
            too_many = self.open > self.traps.connections
        try:
            if self.traps.slow_s:
                time.sleep(self.traps.slow_s)
            with self.lock:
                return self._answer(method, target, headers, body, too_many)
        finally:
            with self.lock:
                self.open -= 1

    def _answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes, too_many: bool) -> Answer:
        parts = urlsplit(target)
        path, query = unquote(parts.path).removeprefix("/3.0/"), dict(parse_qsl(parts.query, keep_blank_values=True))
        self.calls.append((method, path))
        if too_many or self.chance.random() < self.traps.throttled:
            if not too_many and self.chance.random() < 0.5:
                return 403, {"Content-Type": "text/html"}, b"<HTML><HEAD><TITLE>Access Denied</TITLE></HEAD></HTML>"
            return _problem(429, "Too Many Requests", "You have exceeded the limit of 10 simultaneous connections.")
        if self.chance.random() < self.traps.broken:
            return _problem(500, "Internal Server Error", "An unexpected internal error has occurred.")
        is_killed = self.chance.random() < self.traps.killed
        if is_killed and self.chance.random() < 0.5:
            raise Killed
        if headers.get("authorization") != f"Bearer {self.key}":
            what = "Your API key may be invalid, or you've attempted to access the wrong datacenter."
            return _problem(401, "API Key Invalid", what)
        said = self._route(method, path, query, json.loads(body) if body else {})
        if is_killed:
            raise Killed
        if self.chance.random() < self.traps.lost:
            raise Lost
        return said

    def _route(self, method: str, path: str, query: Mapping[str, str], body: dict[str, Any]) -> Answer:
        if (method, path) == ("GET", "ping"):
            return _json(200, {"health_status": "Everything's Chimpy!"})
        if (method, path) == ("GET", "search-members"):
            hits = [held for id_ in [_id(query["query"])] if (held := self._visible(id_))]
            found = {"members": hits, "total_items": len(hits)}
            return _json(200, {"exact_matches": found, "full_search": found})
        if (method, path) == ("GET", "campaigns"):
            return _json(200, _cut("campaigns", self.campaigns, query))
        if (method, path) == ("POST", "batches"):
            return self._batch(body)
        if not (path == f"lists/{self.list_id}" or path.startswith(f"lists/{self.list_id}/")):
            return _problem(404, "Resource Not Found", _NOT_FOUND)
        rest = path.removeprefix(f"lists/{self.list_id}").strip("/")
        if not rest:
            if method == "GET":
                return _json(200, {"id": self.list_id, "name": "News", "stats": {"member_count": len(self.members)}})
            return self._several(body)
        if rest == "webhooks":
            return self._webhooks(method, body)
        if rest == "members" and method == "GET":
            return self._page(query)
        member = re.fullmatch(r"members(?:/([^/]+))?(/actions/delete-permanent)?", rest)
        if member is None:
            return _problem(404, "Resource Not Found", _NOT_FOUND)
        id_ = member[1] or _id(str(body.get("email_address", "")))
        return self._member(method, _id(id_) if "@" in id_ else id_.lower(), bool(member[2]), body)

    def _member(self, method: str, id_: str, is_deletion: bool, body: dict[str, Any]) -> Answer:
        there = self.members.get(id_)
        if method == "GET":
            seen = self._visible(id_)
            return _json(200, seen) if seen else _problem(404, "Resource Not Found", _NOT_FOUND)
        if method == "DELETE" or is_deletion:
            if there is None:
                return _problem(404, "Resource Not Found", _NOT_FOUND)
            stays = ("cleaned", "pending", "archived") if not is_deletion else ("cleaned",) * self.traps.cleaned_stays
            if there["status"] in stays:
                return _problem(405, "Method Not Allowed", _BOUNCED)
            if is_deletion:
                self._remember(id_)
                self._tick()
                del self.members[id_]
                self.forgotten.add(id_)
            else:
                self._write(there["email_address"], "archived", {})
            return 204, {}, b""
        if method == "POST" and there is not None:
            what = f"{there['email_address']} is already a list member. Use PUT to insert or update list members."
            return _problem(400, "Member Exists", what)
        if method == "PATCH" and there is None:
            return _problem(404, "Resource Not Found", _NOT_FOUND)
        wanted = str(body.get("status") or (body.get("status_if_new") if there is None else "") or "")
        if refused := self._refused(id_, there, wanted, body):
            return refused
        return self._set(id_, there, wanted, body)

    def _refused(self, id_: str, there: dict[str, Any] | None, wanted: str, body: dict[str, Any]) -> Answer | None:
        address = body.get("email_address") or (there or {}).get("email_address", "")
        if there is None and (not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", str(address)) or wanted not in _STATUSES):
            return _problem(400, "Invalid Resource", "Please provide a valid email address.")
        if wanted and wanted not in (*_STATUSES, "archived"):
            return _problem(400, "Invalid Resource", "The resource submitted could not be validated.")
        if there is None and id_ in self.forgotten:
            return _problem(400, "Forgotten Email Not Subscribed", f"{address} {_FORGOTTEN}")
        if wanted in ("subscribed",) and id_ in self.compliance:
            return _problem(400, "Member In Compliance State", f"{address} {_COMPLIANCE}")
        merged = body.get("merge_fields") or {}
        empty = [name for name in self.traps.required if there is None and not merged.get(name)]
        empty += [name for name, value in merged.items() if isinstance(value, str) and len(value) > 255]
        if empty:
            errors = [{"field": name, "message": "Please enter a value"} for name in empty]
            return _problem(400, "Invalid Resource", "Your merge fields were invalid.", errors=errors)
        new = body.get("email_address")
        if there is not None and new and _id(new) != id_ and _id(new) in self.members:
            what = f"{new} is already a list member. Use PUT to insert or update list members."
            return _problem(400, "Member Exists", what)
        return None

    def _set(self, id_: str, there: dict[str, Any] | None, wanted: str, body: dict[str, Any]) -> Answer:
        before = None if there is None else str(there["status"])
        if wanted in ("subscribed", "pending") and before != wanted:
            self.upwards.append((id_, before or "", wanted))
        address = str(body.get("email_address") or (there or {})["email_address"])
        if there is not None and _id(address) != id_:
            self._remember(id_)
            self.members.pop(id_)
            self.members[_id(address)] = there | {"id": _id(address)}
        self._write(address, wanted or before or "", body.get("merge_fields") or {})
        if self.traps.echoes and wanted and wanted != before:
            what = {"action": "unsub", "reason": "manual"} if wanted == "unsubscribed" else {}
            self._tell("unsubscribe" if what else "subscribe", "api", address, **what)
        return _json(200, self.members[_id(address)])

    def _several(self, body: dict[str, Any]) -> Answer:
        people = body.get("members", [])
        if len(people) > 500:
            return _problem(400, "Bad Request", "No more than 500 members may be added or updated at once.")
        made, changed, errors = list[Any](), list[Any](), list[Any]()
        for one in people:
            id_ = _id(one["email_address"])
            there = self.members.get(id_)
            if there is not None and not body.get("update_existing"):
                what = f"{one['email_address']} is already a list member, do you want to update? please provide "
                what += "update_existing:true in the request body"
                errors.append(
                    {"email_address": one["email_address"], "error": what, "error_code": "ERROR_CONTACT_EXISTS"}
                )
                continue
            status, _, told = self._member("PUT", id_, False, {"status_if_new": one["status"], **one})
            if status == 200:
                (made if there is None else changed).append(json.loads(told))
            else:
                code = {"email_address": one["email_address"], "error_code": "ERROR_GENERIC"}
                errors.append({**code, "error": json.loads(told)["detail"]})
        counts = {"total_created": len(made), "total_updated": len(changed), "error_count": len(errors)}
        return _json(200, {"new_members": made, "updated_members": changed, "errors": errors, **counts})

    def _batch(self, body: dict[str, Any]) -> Answer:
        operations = body.get("operations", [])
        if len(operations) > 1_000:
            return _problem(400, "Bad Request", "A batch may have no more than 1000 operations.")
        if len(self.batches) >= 500:
            return _problem(429, "Too Many Requests", "You have more than 500 pending batches.")
        self.batches.append({"id": f"b{len(self.batches)}", "status": "pending", "total_operations": len(operations)})
        for one in operations:
            self._route(
                one["method"], one["path"].strip("/"), one.get("params", {}), json.loads(one.get("body") or "{}")
            )
        return _json(200, self.batches[-1])

    def _webhooks(self, method: str, body: dict[str, Any]) -> Answer:
        if method == "GET":
            return _json(200, {"webhooks": self.hooks, "total_items": len(self.hooks)})
        seen = self.probe(body["url"]) if self.probe is not None else 200
        if seen != 200 or any(hook["url"] == body["url"] for hook in self.hooks):
            what = f"We couldn't verify the URL is working. Please double check and try again. HTTP Code: {seen}"
            errors = [{"field": "url", "message": what}]
            return _problem(400, "Invalid Resource", "The resource submitted could not be validated.", errors=errors)
        self.hooks.append({"id": f"w{len(self.hooks)}", "list_id": self.list_id, **body})
        return _json(200, self.hooks[-1])

    def _page(self, query: Mapping[str, str]) -> Answer:
        since = dt.datetime.fromisoformat(query["since_last_changed"]) if "since_last_changed" in query else None
        wanted = query.get("status")
        if not self._old and since is None and self._listed[:2] == (self._writes, wanted):
            return _json(200, _cut("members", self._listed[2], query))
        seen = [held for id_ in list(self.members | self._old) if (held := self._visible(id_))]
        rows = [
            held
            for held in seen
            if (held["status"] == wanted if wanted else held["status"] != "archived")
            and (since is None or dt.datetime.fromisoformat(held["last_changed"]) > since)
        ]
        if not self._old and since is None:
            self._listed = (self._writes, wanted, rows)
        return _json(200, _cut("members", rows, query))

    # --- state

    def _visible(self, id_: str) -> dict[str, Any] | None:
        """The member as a reader sees it: for a while as it was before the last write."""
        until, before = self._old.get(id_, (0, None))
        if len(self.calls) <= until:
            return before
        self._old.pop(id_, None)
        return self.members.get(id_)

    def _remember(self, id_: str) -> None:
        if self.traps.lag_calls:
            self._old[id_] = (len(self.calls) + self.traps.lag_calls, self._visible(id_))

    def _write(self, address: str, status: str, merged: Mapping[str, str]) -> None:
        with self.lock:
            id_, blank = _id(address), {"FNAME": "", "LNAME": ""}
            self._remember(id_)
            before = self.members.get(id_, {"merge_fields": blank, "timestamp_opt": self._now.isoformat()})
            self.members[id_] = {
                **before,
                "id": id_,
                "email_address": address,
                "status": status,
                "merge_fields": {**before["merge_fields"], **merged},
                "last_changed": self._tick(),
                "list_id": self.list_id,
            }

    def at(self, now: dt.datetime) -> None:
        """The provider's clock."""
        self._now = max(now, self._now)

    def _tick(self) -> str:
        self._writes += 1
        self._now += dt.timedelta(seconds=1)
        return self._now.isoformat(timespec="seconds")

    def _tell(self, kind: str, source: str, address: str, **more: str) -> None:
        merged = {"merges][EMAIL": address, "merges][FNAME": "", "merges][LNAME": ""}
        data = {"id": _id(address), "email": address, "email_type": "html", **merged, **more}
        self._queue(kind, source, data)

    def _queue(self, kind: str, source: str, data: Mapping[str, str]) -> None:
        for hook in self.hooks:
            is_echo = source == "api" and self.traps.echoes
            if hook["events"].get(kind) and (is_echo or hook["sources"].get(source)):
                fired = self._now.strftime("%Y-%m-%d %H:%M:%S")
                form = {f"data[{name}]": value for name, value in {**data, "list_id": self.list_id}.items()}
                self.events.append({"type": kind, "fired_at": fired, **form})


def _id(address: str) -> str:
    return hashlib.md5(address.strip().lower().encode(), usedforsecurity=False).hexdigest()


def _cut(name: str, rows: list[dict[str, Any]], query: Mapping[str, str]) -> dict[str, Any]:
    start, count = int(query.get("offset", 0)), min(int(query.get("count", 10)), 1_000)
    wanted = {one.partition(".")[2] for one in query.get("fields", "").split(",") if one.startswith(f"{name}.")}
    page = rows[start : start + count]
    kept = [{key: value for key, value in row.items() if key in wanted} if wanted else row for row in page]
    return {name: kept, "total_items": len(rows)}


def _json(status: int, body: Mapping[str, Any]) -> Answer:
    return status, {"Content-Type": "application/json; charset=utf-8"}, json.dumps(body).encode()


def _problem(status: int, title: str, detail: str, **more: Any) -> Answer:
    body = {"type": _DOCS, "title": title, "status": status, "detail": detail, "instance": "a1", **more}
    return status, {"Content-Type": "application/problem+json; charset=utf-8"}, json.dumps(body).encode()


def _handler(fake: FakeMailchimp) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _do(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            try:
                status, extra, content = fake.answer(self.command, self.path, headers, body)
            except Lost:
                self.close_connection = True
                return
            self.send_response(status)
            for name, value in extra.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _do  # noqa: N815 - as the base class names them

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base class names it
            """Nothing: a test's output shows no address."""

    return Handler


class _Transport(httpx.BaseTransport):
    def __init__(self, fake: FakeMailchimp) -> None:
        self._fake = fake

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        target = request.url.raw_path.decode("ascii")
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            status, extra, content = self._fake.answer(request.method, target, headers, request.read())
        except Lost:
            raise httpx.ReadError("lost") from None
        return httpx.Response(status, headers=extra, stream=httpx.ByteStream(content))
