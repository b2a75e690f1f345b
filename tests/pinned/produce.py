"""Everything that is pinned, made once: ``python -m tests.pinned.produce FOLDER`` writes it into FOLDER.

It runs in a process of its own, because it holds the clock and has the environment of one company.
"""

from __future__ import annotations

import gettext
import json
import re
import shlex
import shutil
import sqlite3
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import click
import pyrage
from tests.pinned import fixed
from tests.pinned.company import HOOK, Company
from tests.pinned.normalise import Normaliser, people_in
from tests.pinned.pages import Browser, text_of

HERE = Path(__file__).parent
PUBLIC = ["/policy/", "/your-data/", "/your-data/sent/", "/.well-known/security.txt", "/.well-known/gpc.json"]
PUBLIC += [
    "/policy/logo",
    "/health/live",
    "/health/ready",
    "/your-data/sign-in",
    "/console/nowhere/",
    "/policy/nowhere/",
]
ANN, BEN, CHLOE = (f"{name}@example.org" for name in ("ann", "ben", "chloe"))
OFFICER = "dpo@example.org"
CONTROL = (
    "version question citation clauses principles every fresh_for audience severity failures_to_break remedy cannot_see"
)
"""What is pinned of a control: the keys of the catalogue."""
WANTED: dict[str, tuple[str, dict[str, str]]] = {
    ANN: ("view", {}),
    BEN: ("erase", {}),
    CHLOE: ("amend", {"what_0": "user.name", "new_0": "Chloe"}),
}


class Story:
    """What happens at the company, and what is printed and shown meanwhile."""

    def __init__(self, folder: Path) -> None:
        self.company = Company(folder / "company")
        self.texts, self.documents = defaultdict[str, str](str), defaultdict[str, list[Any]](list)
        self.folder = folder / "beside"
        shutil.copytree(HERE / "files", self.folder / "files")
        self.shop = self.company.folder / "company" / "shop.sqlite"
        identity = pyrage.x25519.Identity.generate()
        for name, text in {"safe": identity, "new": "some words", "a": "words of a", "b": "words of b"}.items():
            (self.folder / name).touch(0o600)
            (self.folder / name).write_text(f"{text}\n")
        self.known = {
            "files": str(self.folder / "files"),
            "folder": str(self.folder),
            "hook": f"http://localhost:{self.company.port}{HOOK}",
            "newsletter": f"sqlite:///{self.shop.with_name('newsletter.sqlite')}",
            "recipient": str(identity.to_public()),
        }
        self._keep("demo", (), self.company.made)
        self.company.serve()

    def tell(self) -> None:
        """The whole story."""
        self.play("begin")
        self.ask()
        self.use()
        self.play("look")
        self.play("amend")
        shutil.copy(self.shop, self.folder)
        self.play("erase")
        shutil.copy(self.folder / self.shop.name, self.shop)
        self.play("restored")
        self.play("staff")
        with (
            closing(sqlite3.connect(self.company.folder / "home" / "troth.sqlite3")) as today,
            closing(sqlite3.connect(self.folder / "backup.sqlite3")) as backup,
        ):
            today.backup(backup)
        self.play("keys")
        self.record()

    def play(self, part: str) -> None:
        """Run one part of ``commands.txt``, and keep what each command prints under its own name."""
        for line in re.split(r"^== ", (HERE / "commands.txt").read_text("utf-8"), flags=re.MULTILINE):
            if line.startswith(f"{part}:"):
                for typed in filter(None, line.splitlines()[1:]):
                    self._type(typed.format_map(self.known | {"plan": self.known.get("plan", "")}))

    def _type(self, typed: str) -> None:
        words = shlex.split(typed)
        if words[0] == "+":
            fixed.forward(int(words[1]))
            return
        environment = dict(words.pop(0).split("=") for word in tuple(words) if word.startswith("TROTH_"))
        name = max((name for name in commands() if words[: len(name)] == list(name)), key=len)
        done = self.company.run(*words, **environment)
        self._keep(" ".join(name), words[len(name) :], done)
        plan = re.search(r'"plan": "(dg1:\w+)"', json.dumps(done[1]))
        self.known |= {"plan": plan[1]} if plan is not None else {}

    def _keep(self, name: str, options: Any, done: tuple[int, Any, str]) -> None:
        shown = {"options": options, "exit": done[0], "json": done[1], "stderr": done[2].splitlines()}
        self.documents[f"commands/{name.replace(' ', '-')}.json"].append(shown)

    def ask(self) -> None:
        """Ann wants to see her data, Ben wants his erased, Chloe corrects hers, and Ann complains."""
        people = {who: Browser(self.company.port, number) for number, who in enumerate(WANTED)}
        for who, (right, more) in WANTED.items():
            people[who].open(f"/your-data/{right}/").send(email=who, **more)
            self._pass()
            self.texts["pages/your-data-link.txt"] += people[who].open(self.company.link(who)).shown
            people[who].send()
            self._keep("work", ("--once",), self.company.run("work", "--once"))
        Browser(self.company.port, 9).open("/your-data/complain/").send(email=ANN, message="It took too long.")
        self._pass()
        for each in people.values():
            self.texts["pages/your-data-case.txt"] += each.open("/your-data/case/").shown
        self.texts["pages/your-data-case.txt"] += people[ANN].open("/your-data/case/").send().shown
        for subject, to, text in self.company.mail():
            self.texts["mail.txt"] += f"=== {subject}\nto: {to}\n{text}\n"

    def _pass(self) -> None:
        fixed.forward(5)
        self.company.run("keep")

    def use(self) -> None:
        """The officer of the company looks around in the console, and a stranger at the public pages."""
        officer, stranger = (Browser(self.company.port, number) for number in (10, 11))
        signed = (self.company.folder / "sign-in").read_text("utf-8").splitlines()
        signing = officer.open("/console/").shown + officer.send(login=OFFICER, password=signed[2].split(" ")[1]).shown
        officer.send(code=signed[-1])
        self.texts["pages/staff-sign-in.txt"] = signing
        for who, start, within in (
            (
                officer,
                ["/console/", *(f"/console/cases/R-2026-000{number}/" for number in (1, 2, 3))],
                "/(console|staff)/",
            ),
            (stranger, PUBLIC, "/(policy|ledger|your-data)/"),
        ):
            self.texts["pages/frames.txt"] += text_of(who.open(start[0]).html, whole=True)
            for route, shown in who.walk(start, within=within).items():
                name = re.sub(r"[^a-z]+", "-", re.sub(r"<[^:>]*:", "", route)).strip("-")
                self.texts[f"pages/{name}.txt"] += "".join(shown)

    def record(self) -> None:
        """The ledger, what programs were told, and what is registered and how it is called."""
        from django.apps import apps
        from django.urls import get_resolver

        from troth.controls import catalogue
        from troth.ledger import KINDS
        from troth.service.api.framework import api

        self._pass()
        entries = self.company.run("ledger", "show", "--last", "10000")[1]["entries"]
        self.texts["ledger.jsonl"] = "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries)
        self.texts["lists/addresses.txt"] = "".join(f"{route}\n" for route in sorted(_routes(get_resolver())))
        derived = {re.sub(r"[0-9a-f]{16,}", "…", label) for label in self.company.labels}
        self.texts["lists/derived-keys.txt"] = "".join(f"{label}\n" for label in sorted(derived))
        tables = sorted((model._meta for model in apps.get_models()), key=lambda table: table.db_table)
        documents: dict[str, Any] = {
            "webhooks": self.company.hooks,
            "openapi": api.get_openapi_schema(path_prefix="/api/v1/"),
            "lists/controls": {
                name: {fact: getattr(control, fact) for fact in CONTROL.split()} | {"on": _events(name)}
                for name, control in catalogue().items()
            },
            "lists/entry-kinds": {
                name: {"needs": _fields(kind.needs), "may": _fields(kind.may)} for name, kind in KINDS.items()
            },
            "lists/commands": {" ".join(name): list(map(_option, made.params)) for name, made in commands().items()},
            "lists/tables": {
                of.db_table: {it.column: it.get_internal_type() for it in of.local_fields} for of in tables
            },
            "lists/messages": _messages(),
        }
        self.documents |= {f"{name}.json": document for name, document in documents.items()}


def _events(control: str) -> list[str]:
    """Events after which a control runs at once."""
    from troth.service.duty import duties

    return sorted(event for duty in duties().values() for event, controls in duty.after.items() if control in controls)


def commands() -> dict[tuple[str, ...], click.Command]:
    """Every command by its words, groups left out."""
    from troth.cli import main as troth

    found, waiting = dict[tuple[str, ...], click.Command](), list[tuple[tuple[str, ...], click.Command]]([((), troth)])
    for name, command in waiting:
        if isinstance(command, click.Group):
            context = click.Context(command)
            waiting += [
                ((*name, word), command.get_command(context, word) or troth) for word in command.list_commands(context)
            ]
        else:
            found[name] = command
    return found


def _option(option: click.Parameter) -> str:
    """An option with what it takes, such as API scopes and webhook events."""
    from troth.cli.deployment import Registered

    choices = f" {'|'.join(option.type.choices)}" if isinstance(option.type, click.Choice | Registered) else ""
    return "/".join(option.opts) + choices + (" needed" if option.required else "") + (" …" if option.multiple else "")


def _fields(shapes: Mapping[str, Any]) -> dict[str, str]:
    """The fields of an entry, and the words that stand in them, where those are known."""
    return {name: " ".join(getattr(shape, "words", ())) for name, shape in shapes.items()}


def _routes(resolver: Any, before: str = "") -> Iterator[str]:
    for pattern in resolver.url_patterns:
        route = before + str(pattern.pattern)
        yield from _routes(pattern, route) if hasattr(pattern, "url_patterns") else (route,)


def _messages() -> dict[str, Any]:
    """The texts that are translated: how many of each language, which are missing there, and all of them."""
    from django.conf import settings

    found = dict[str, set[str]]()
    for file in sorted(Path(settings.LOCALE_PATHS[0]).glob("*/LC_MESSAGES/django.mo")):
        with file.open("rb") as read:
            catalogue = gettext.GNUTranslations(read)._catalog  # type: ignore[attr-defined]
        found[file.parts[-3]] = {key if isinstance(key, str) else key[0] for key in catalogue} - {""}
    every = set[str]().union(*found.values())
    languages = {name: {"texts": len(texts), "missing": sorted(every - texts)} for name, texts in found.items()}
    return {"languages": languages, "texts": sorted(every)}


def main(target: Path) -> None:
    """Write every file that is pinned into *target*."""
    import troth

    with tempfile.TemporaryDirectory() as temporary:
        story = Story(Path(temporary).resolve())
        databases, declared = story.shop.parent, story.company.folder.glob("*.*")
        known = "".join(file.read_text("utf-8") for file in declared) + ANN + BEN + CHLOE
        people = {value for value in people_in(databases) if value not in known}
        places = {str(story.company.folder): "<company>", str(story.folder): "<folder>", troth.__version__: "<version>"}
        places[f":{story.company.port}"] = ":<port>"
        story.tell()
        for name, content in (story.texts | story.documents).items():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).write_text(Normaliser(places, people).file(content), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
