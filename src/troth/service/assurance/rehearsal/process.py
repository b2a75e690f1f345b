"""The process of a rehearsal: makes the world in its working folder, plants the breaches, and writes what came of each
to standard output, one JSON object a line.

It runs with an environment that holds no address and no key of the company's (`run` starts it), connects to nothing,
and ends with the process that started it.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import multiprocessing
import os
import pickle
import shutil
import signal
import sys
import threading
import traceback
from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

from troth.controls import Check, PromiseStatus, Status, controls_of, inputs_of, looked_at_hash, run, status_of
from troth.declaration import Declaration, Ledger, Promise, load
from troth.errors import TrothError
from troth.policy import read_file
from troth.rehearsal.breaches import RehearsedBreach, breaches
from troth.rehearsal.external_systems import with_external_systems
from troth.rehearsal.invented import Inventor
from troth.rehearsal.own_faults import own_breaches
from troth.rehearsal.papers import with_copied_papers
from troth.rehearsal.score import NotPlanted, Planted, Unplanted
from troth.rehearsal.servers import InventedServer
from troth.rehearsal.site import CachedPages, ScriptedSite, over_https
from troth.rehearsal.stored_forms import StoredForms, make_token_keys
from troth.rehearsal.stores import Inapplicable, ScratchStores, filled, scratch_schemas, without_constraints
from troth.rehearsal.task import RehearsalTask
from troth.rehearsal.world import Baseline, World
from troth.sandbox import connect_to_nothing
from troth.service.configuration import ServiceError
from troth.service.duty import duties
from troth.stores import Store

if TYPE_CHECKING:
    from troth.service.core.deployment import Deployment

PEOPLE = 12
_CAUSE_MAX = 300
_GREEN = frozenset({Status.KEPT, Status.STATED})
_HERE = Path("/proc/self/cwd")
"""The working folder by a name that is absolute, as settings have to be."""
_Planting = tuple[RehearsedBreach, tuple[str, ...], tuple[int, ...]]
"""A breach, the places that it is about, and the promises that it breaks."""
Write = Callable[[dict[str, Any]], None]


def _end_with_parent(folder: Path) -> None:
    """Have this process, those that it forks, and *folder* go once standard input is closed."""

    def watch() -> None:
        os.read(0, 1)
        shutil.rmtree(folder, ignore_errors=True)
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()


def main() -> int:
    """Carry out the task on standard input."""
    connect_to_nothing()
    task: RehearsalTask = pickle.load(sys.stdin.buffer)  # noqa: S301 - written by the process that started this one
    _end_with_parent(task.folder.parent)
    os.chdir(task.folder)
    os.environ |= environment(_HERE, task.declaration)
    logging.disable(logging.CRITICAL)
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")

    def write(line: dict[str, Any]) -> None:
        out.write(json.dumps(line) + "\n")
        out.flush()

    _try(write, rehearse, replace(task, folder=_HERE), write)
    return 0


def _try(write: Write, work: Callable[..., None], *given: Any) -> None:
    """Have *work* done, or write why it failed: the parent then ends all processes."""
    try:
        work(*given)
    except Exception as error:  # noqa: BLE001 - the parent says which
        write({"error": _cause(error)})


def _cause(error: Exception) -> str:
    """What failed, and where. All people here are invented."""
    if isinstance(error, TrothError):
        return str(error)
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {str(error)[:_CAUSE_MAX]} ({Path(place.filename).name}, line {place.lineno})"


def environment(folder: Path, declaration: Path) -> Mapping[str, str]:
    """The settings of Troth in a rehearsal in *folder*."""
    return {
        "TROTH_HOME": str(folder / "world" / "home"),
        "TROTH_PROFILE": "development",
        "TROTH_DECLARATION": str(declaration),
        "TROTH_MAIL_URL": f"folder://{folder / 'world' / 'mail'}",
        "TROTH_MAILBOX_URL": f"maildir://{folder / 'world' / 'inbox'}",
    }


def rehearse(task: RehearsalTask, write: Write) -> None:
    """Write the promises as they are before, the number of plantings, and what came of each."""
    world, declaration = invented(task), load(task.declaration)
    before = look_at(world, sorted({id_ for promise in declaration.promises for id_ in promise.controls}))
    statuses = [_status(promise, before, world) for promise in declaration.promises]
    for index, status in enumerate(statuses):
        why = "" if status.status in _GREEN else status.reason
        left = [asdict(it) for it in _not_planted(declaration.promises[index])]
        write({"promise": index, "status": status.status, "why": why, "not_planted": left})
    plan = list(_plan(declaration, statuses, task))
    write({"plantings": len(plan)})
    _work(plan, world, before, write)


def _work(plantings: Sequence[_Planting], world: World, before: Mapping[str, Check], write: Write) -> None:
    """Plant the breaches one after the other, and put back what each changes."""
    baseline, promises = Baseline(world), world.declaration.promises
    for breach, about, indexes in plantings:
        why, checks = None, dict(before)
        with baseline.restored():
            world.about = about
            try:
                ids = sorted({id_ for index in indexes for id_ in promises[index].controls})
                checks |= planted(world, breach, ids)
            except Exception as error:  # noqa: BLE001 - one breach holds up no other
                is_error = not isinstance(error, Inapplicable)
                why = Unplanted(breach.text, breach.control, _cause(error) if is_error else str(error), is_error)
        for index in indexes:
            if why is None:
                write({"index": index, "planted": asdict(_outcome(promises[index], breach, checks, world))})
            elif why.is_error or breach.is_own:
                write({"index": index, "unplanted": asdict(why)})
        write({"done": 1})


def invented(task: RehearsalTask) -> World:
    """The company of *task* in its folder, after some ordinary business. Sets up Django, once in a process."""
    from troth.service.server import migrate, set_up

    set_up()
    migrate()
    from django.core.wsgi import get_wsgi_application
    from django.db import connections

    from troth.service.assurance.control_inputs import register_answers
    from troth.service.core.keys import keyring
    from troth.service.settings import TROTH

    register_answers()
    register_breaches()
    world = _world(task, load(task.declaration), get_wsgi_application(), keyring(TROTH.home))
    connections.close_all()
    _do_business(world)
    return world


def register_breaches() -> None:
    """Import every module that registers breaches. Idempotent."""
    for name in ("declaration", "policy", "stores", "servers", "stored_data", "sealed_data", "site"):
        import_module(f"troth.rehearsal.faults.{name}")
    for duty in duties().values():
        if duty.rehearsal:
            import_module(duty.rehearsal)


def _do_business(world: World) -> None:
    """What happens at every company, so that there is something to check: by Troth's own actions, in its database.

    In a forked process: jobs run in threads, whose connections would stay open while files are put back."""
    forked = multiprocessing.get_context("fork")
    receiver, sender = forked.Pipe(duplex=False)
    process = forked.Process(target=_try, args=(sender.send, lambda: sender.send(_business(world))))
    process.start()
    sender.close()
    try:
        outcome = receiver.recv()
    except EOFError:
        outcome = {"error": "it was ended"}
    finally:
        process.join()
    if isinstance(outcome, dict):
        raise ServiceError(f"the ordinary business of the invented company failed: {outcome['error']}")
    ledger, world.now = outcome
    world.declare(ledger=ledger)


def _business(world: World) -> tuple[Ledger | None, dt.datetime]:
    """Returns the outsiders who have signed the ledger, and the time afterwards."""
    from django.db import connections

    from troth.service.core.deployment import given

    for step in ("ordinary", "conclude"):
        for module in _modules():
            if hasattr(module, step):
                with given(deployment_of(world)):
                    getattr(module, step)(world)
    connections.close_all()
    return world.declaration.ledger, world.now


def _modules() -> list[ModuleType]:
    """The modules by which duties take part in a rehearsal."""
    return [import_module(duty.rehearsal) for duty in duties().values() if duty.rehearsal]


def _world(task: RehearsalTask, declaration: Declaration, pages: Any, keys: Any) -> World:
    folder = task.folder / "world"
    declaration = with_copied_papers(declaration, folder / "papers")
    schemas = {name: without_constraints(it) for name, it in scratch_schemas(declaration, task.schemas).items()}
    stores = ScratchStores(folder / "stores", schemas)
    make_token_keys(declaration, keys, now=task.now)
    inventor = Inventor(declaration, schemas, task.now, seal=StoredForms(declaration, keys))
    rows = filled(inventor, PEOPLE)
    stores.make(declaration, rows)
    systems = {
        name: system.model_copy(update={"store": stores.url(name)}) if name in schemas else system
        for name, system in declaration.systems.items()
    }
    servers = {name: InventedServer.of(declaration.systems[name], schema) for name, schema in schemas.items()}
    changed = over_https(with_external_systems(declaration.model_copy(update={"systems": systems})))
    policy = read_file(declaration.folder / declaration.policy.file)
    site = ScriptedSite.of(changed, policy.text, CachedPages(pages))
    world = World(folder, changed, policy, stores, site, keys, task.now, rows)
    world.servers = {name: server for name, server in servers.items() if server is not None}
    return world


def _plan(declaration: Declaration, statuses: Sequence[PromiseStatus], task: RehearsalTask) -> Iterator[_Planting]:
    """Each breach to plant: one planting serves all promises about the same places."""
    known, own = breaches(), own_breaches(declaration)
    plan: dict[tuple[str, tuple[str, ...]], tuple[RehearsedBreach, list[int]]] = {}
    for index, (promise, status) in enumerate(zip(declaration.promises, statuses, strict=True)):
        if status.status not in _GREEN or not promise.controls:
            continue
        planted = [it for id_ in task.wanted[index] for it in known.get(id_, ()) if not it.unseen]
        for breach in (*planted, *(it for it in own if it.control in promise.controls)):
            plan.setdefault((breach.id, promise.about), (breach, []))[1].append(index)
    for (_, about), (breach, indexes) in plan.items():
        yield breach, about, tuple(indexes)


def _not_planted(promise: Promise) -> Iterator[NotPlanted]:
    """The breaches that the controls of *promise* are known not to see."""
    for id_ in promise.controls:
        yield from (NotPlanted(it.text, id_, it.unseen) for it in breaches().get(id_, ()) if it.unseen)


def planted(world: World, breach: RehearsedBreach, ids: Sequence[str]) -> Mapping[str, Check]:
    """The checks of the controls *ids* after *breach*. Raises `Inapplicable` if there was nothing to break. The caller
    restores the world."""
    from django.db import connections

    from troth.service.core.deployment import given
    from troth.service.core.store_pool import close_stores

    try:
        with given(deployment_of(world)):
            breach.plant(world)
        return look_at(world, ids)
    finally:
        connections.close_all()
        close_stores()  # an open SQLite file is not read again after it was put back


def deployment_of(world: World) -> Deployment:
    from troth.service.core.deployment import Deployment
    from troth.service.core.own_tables import with_own
    from troth.service.settings import TROTH

    declaration = with_own(world.declaration, accounts=TROTH.database.accounts)
    return Deployment(declaration, home=TROTH.home, keyring=world.keyring, policy=world.policy, clock=lambda: world.now)


def look_at(world: World, ids: Sequence[str]) -> dict[str, Check]:
    """One check of each control in *ids*."""
    from troth.service.assurance.control_inputs import look, site_of
    from troth.service.core.deployment import given
    from troth.site import SiteSnapshot

    deployment = deployment_of(world)
    snapshot = None
    if world.declaration.organisation.site:
        snapshot = SiteSnapshot(world.site.served(site_of(deployment)), now=world.now)
    known = controls_of(world.declaration)
    needed = {name for id_ in ids for name in inputs_of(id_, world.declaration)}
    with given(deployment), look(deployment, world.now, snapshot, needed=needed) as seen:
        stores = {
            name: world.servers[name].over(store) if name in world.servers else store
            for name, store in cast("Mapping[str, Store]", seen["stores"]).items()
        }
        invented = [module.inputs(world) for module in _modules() if hasattr(module, "inputs")]
        inputs = {**seen, "stores": stores, **ChainMap(*invented), **world.inputs}
        return {id_: run(id_, inputs) for id_ in ids if id_ in known}


def _status(promise: Promise, checks: Mapping[str, Check], world: World) -> PromiseStatus:
    """The promise's status if each check came out like this as often as the control asks for. No waiver counts."""
    controls = controls_of(world.declaration)
    history = {}
    for id_ in promise.controls:
        if id_ in checks:
            needed = promise.failures or controls[id_].failures_to_break
            history[id_] = [replace(checks[id_], at=world.now - n * controls[id_].every) for n in range(needed)]
    approved = {promise.attestation_hash} if promise.attestation_hash else set()
    return status_of(
        promise.model_copy(update={"waive": None}),
        history,
        now=world.now,
        declaration_hash=next(iter(checks.values())).declaration_hash if checks else looked_at_hash(world.declaration),
        controls=controls,
        approved=approved,
    )


def _outcome(promise: Promise, breach: RehearsedBreach, checks: Mapping[str, Check], world: World) -> Planted:
    # A changed declaration makes other checks out of date; here all are of one moment.
    alike = {id_: replace(check, declaration_hash="") for id_, check in checks.items()}
    status = _status(promise, alike, world)
    noticed = status.status not in _GREEN
    return Planted(breach.id, breach.text, breach.control, noticed, status.status.value, status.reason)


if __name__ == "__main__":
    sys.exit(main())
