"""External systems in our own process: ``hook:package.module`` is a `troth.hook.Hook` named ``hook`` in that module,
``hook:package.module:name`` one with another name."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TypeVar

from troth.declaration import ExternalAccess
from troth.hook import Answer, Ask, Hook, Malformed, Mixed, Right
from troth.stores.contract import StoreError, StoreRefused, StoreUnreachable
from troth.stores.external.contract import Questioner

_Said = TypeVar("_Said")


def connect(name: str, url: str, asking: ExternalAccess) -> Questioner:
    """Import the hook that *url* names. Raises `StoreRefused` if there is none."""
    module, _, attribute = url.removeprefix("hook:").partition(":")
    try:
        hook = getattr(import_module(module), attribute or "hook", None)
    except Exception as error:  # noqa: BLE001 - a module may raise anything while it is imported
        hook, why = None, f"cannot be imported ({type(error).__name__})"
    else:
        why = f"has no troth.hook.Hook named '{attribute or 'hook'}'"
    if not isinstance(hook, Hook):
        raise StoreRefused(f"the module of {name} {why}", store=name)
    return Questioner(name, asking, _InProcess(name, hook))


class _InProcess:
    """The channel to a hook in this process."""

    def __init__(self, name: str, hook: Hook) -> None:
        self._name, self._hook = name, hook

    def ask(self, ask: Ask) -> Answer:
        return self._called(lambda: self._hook.ask(ask))

    def poll(self, ask_id: str) -> Answer:
        return self._called(lambda: self._hook.poll(ask_id))

    def verify(self, ask: Ask) -> Answer:
        return self._called(lambda: self._hook.verify(ask))

    def offers(self) -> frozenset[Right]:
        return self._hook.rights

    def close(self) -> None:
        """Does nothing: no connection is open."""

    def _called(self, function: Callable[[], _Said]) -> _Said:
        trouble: StoreError
        try:
            return function()
        except (Mixed, Malformed) as wrong:
            trouble = StoreRefused(f"the hook of {self._name} refused: {wrong}", store=self._name)
        except Exception as error:  # noqa: BLE001 - the application's own code; its text may quote a row
            message = f"the hook of {self._name} failed ({type(error).__name__})"
            trouble = StoreUnreachable(message, store=self._name, retryable=True)
        raise trouble
