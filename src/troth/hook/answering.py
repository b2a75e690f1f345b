"""Dispatches asks to the application's functions by right, executes each ask once, and verifies its effect."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar

from troth.hook.looking import looked
from troth.hook.values import Answer, AnswerState, Ask, HookError, Right

Answers = Callable[[Ask], Answer]
Polls = Callable[[str], Answer]
_AnyAnswers = TypeVar("_AnyAnswers", bound=Answers)
_AnyPolls = TypeVar("_AnyPolls", bound=Polls)


class Mixed(HookError):
    """The id was already used for an ask about another person or right. Nothing was done."""

    def __init__(self, ask_id: str) -> None:
        super().__init__(f"ask {ask_id} was used for something else: an id can be used for one message only")


class Twice(HookError):
    """Two functions were registered for one right."""


@dataclasses.dataclass(frozen=True, slots=True)
class Remembered:
    """What is stored of an answered ask: never its rows."""

    right: Right
    answer: Answer


class Memory(Protocol):
    """Persistent storage of answers and of the nonces of received messages."""

    def once(self, ask: Ask, act: Callable[[], Answer]) -> Answer:
        """The stored answer of this ask; otherwise call *act* and store its answer. Meanwhile, the same ask from
        elsewhere blocks or is told to retry later. A refused or failed ask is executed again. Exceptions of *act*
        propagate, and nothing is stored. Raises `Mixed`."""
        ...

    def recall(self, ask_id: str) -> Remembered | None:
        """The stored answer of an ask; None if unknown."""
        ...

    def remember(self, ask_id: str, right: Right, answer: Answer) -> None:
        """Store or replace the answer of an ask, without its rows; it need not be final."""
        ...

    def is_new(self, nonce: str, *, until: float) -> bool:
        """True if *nonce* was not seen before. It is remembered *until* that time (seconds since 1970)."""
        ...


class Hook:
    """Registry of the functions with which an application answers asks about its users.

    While an answer is not final, `poll` calls the function registered with `polls`. Without one it returns the stored
    answer, and only asks that read data call their function again when repeated.
    """

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self._answers: dict[Right, Answers] = {}
        self._verifies: dict[Right, Answers] = {}
        self._polls: dict[Right, Polls] = {}

    # --- declaring

    def answers(self, *rights: str) -> Callable[[_AnyAnswers], _AnyAnswers]:
        """``@hook.answers("erase")``: the function is given the `Ask` and returns an `Answer`.

        For an ask that changes data it is called once, and again only if it raised, refused or failed, or its process
        died. Make it idempotent. Raises `Twice`.
        """
        return lambda function: _register(self._answers, rights, function)

    def verifies(self, *rights: str) -> Callable[[_AnyAnswers], _AnyAnswers]:
        """``@hook.verifies("restrict")``: the function checks whether the ask has taken effect. Raises `Twice`.

        Without one, ``erase`` and ``amend`` are verified with the function that answers ``view``.
        """
        return lambda function: _register(self._verifies, rights, function)

    def polls(self, *rights: str) -> Callable[[_AnyPolls], _AnyPolls]:
        """``@hook.polls("view")``: the function gets the id of an ask that is still in progress. Raises `Twice`."""
        return lambda function: _register(self._polls, rights, function)

    @property
    def rights(self) -> frozenset[Right]:
        """Rights that have a function."""
        return frozenset(self._answers)

    @property
    def functions(self) -> Mapping[Right, str]:
        """Qualified name of the function for each right, for diagnostics."""
        return {right: f"{it.__module__}.{it.__qualname__}" for right, it in self._answers.items()}

    # --- being asked

    def ask(self, ask: Ask) -> Answer:
        """Answer the ask; one that changes data is executed once. Raises `Mixed`, and whatever the function raises."""
        function = self._answers.get(ask.right)
        if function is None:
            return Answer.refused("right_not_answered")
        if ask.right.only_reads:
            answer = function(ask)
            if not answer.state.is_final:
                self.memory.remember(ask.id, ask.right, answer)
            return answer
        known = self.memory.recall(ask.id)
        answer = self.memory.once(ask, lambda: function(ask))
        was_begun = known is not None and not known.answer.state.is_final
        return self.poll(ask.id) if was_begun and not answer.state.is_final else answer

    def poll(self, ask_id: str) -> Answer:
        """The current answer of an ask. Raises whatever the function raises."""
        known = self.memory.recall(ask_id)
        if known is None:
            return Answer.refused("unknown_ask")
        function = self._polls.get(known.right)
        if known.answer.state.is_final or function is None:
            return known.answer
        answer = function(ask_id)
        self.memory.remember(ask_id, known.right, answer)
        return answer

    def verify(self, ask: Ask) -> Answer:
        """Check whether the ask has taken effect. Raises whatever the function raises."""
        function = self._verifies.get(ask.right)
        if function is not None:
            return function(ask)
        view = self._answers.get(Right.VIEW)
        if view is None:
            return Answer.refused("not_verified")
        shown = view(dataclasses.replace(ask, right=Right.VIEW, changes={}, purposes=()))
        if shown.state not in (AnswerState.DONE, AnswerState.NOTHING):
            return dataclasses.replace(shown, rows={})
        known = self.memory.recall(ask.id)
        kept = known.answer.kept if known else ()
        return dataclasses.replace(looked(ask, shown.rows, kept), kept=kept)


_Function = TypeVar("_Function")
_Held = TypeVar("_Held")


def _register(held: dict[Right, _Held], rights: tuple[str, ...], function: _Function) -> _Function:
    for right in map(Right, rights):
        if right in held:
            raise Twice(f"there are two functions for '{right}'")
        held[right] = function  # type: ignore[assignment]
    return function
