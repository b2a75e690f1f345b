"""The application's own code, asked: which function answers which right, each ask done once, and looked at again."""

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
    """The id of an ask that was answered before, about another person or another right: nothing was done."""

    def __init__(self, ask_id: str) -> None:
        super().__init__(f"ask {ask_id} was about something else: an id belongs to one ask for ever")


class Twice(HookError):
    """One right with two functions to answer it."""


@dataclasses.dataclass(frozen=True, slots=True)
class Remembered:
    """What is left of an ask that was answered: never its rows."""

    right: Right
    answer: Answer


class Memory(Protocol):
    """What has been answered, and which messages have come; it outlives the process."""

    def once(self, ask: Ask, act: Callable[[], Answer]) -> Answer:
        """The answer that is remembered for this ask, else what *act* answers, remembered. While it acts, the same ask
        from elsewhere waits or is told to come later. After a refusal or failure it acts again. What *act* raises is
        raised, and nothing is remembered. Raises `Mixed`."""
        ...

    def recall(self, ask_id: str) -> Remembered | None:
        """What is remembered of it."""
        ...

    def remember(self, ask_id: str, right: Right, answer: Answer) -> None:
        """Replace the answer, or note one that is not final. Rows are left out."""
        ...

    def is_new(self, nonce: str, *, until: float) -> bool:
        """Whether *nonce* has not come before; it is remembered *until* then (seconds since 1970)."""
        ...


class Hook:
    """The functions with which an application answers for the people in it.

    Where an answer is not final, either the same function is asked again or, with `polls`, another one by the id.
    """

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self._answers: dict[Right, Answers] = {}
        self._verifies: dict[Right, Answers] = {}
        self._polls: dict[Right, Polls] = {}

    # --- declaring

    def answers(self, *rights: str) -> Callable[[_AnyAnswers], _AnyAnswers]:
        """``@hook.answers("erase")``: the function is given the `Ask` and returns an `Answer`.

        It is called once for each ask that changes something, and again only where it raised, refused or failed, or
        its process died: let it be harmless twice. Raises `Twice`.
        """
        return lambda function: _register(self._answers, rights, function)

    def verifies(self, *rights: str) -> Callable[[_AnyAnswers], _AnyAnswers]:
        """``@hook.verifies("restrict")``: the function looks again whether what was asked is so.

        Of ``erase`` and ``amend`` the function that answers ``view`` shows it where there is no other.
        """
        return lambda function: _register(self._verifies, rights, function)

    def polls(self, *rights: str) -> Callable[[_AnyPolls], _AnyPolls]:
        """``@hook.polls("view")``: the function is given the id of an ask that was not done at once."""
        return lambda function: _register(self._polls, rights, function)

    @property
    def rights(self) -> frozenset[Right]:
        """What it answers."""
        return frozenset(self._answers)

    @property
    def functions(self) -> Mapping[Right, str]:
        """The name of the function behind each right, for whoever looks whether all is in place."""
        return {right: f"{it.__module__}.{it.__qualname__}" for right, it in self._answers.items()}

    # --- being asked

    def ask(self, ask: Ask) -> Answer:
        """Answer, or do what is asked, once. Raises `Mixed`, and whatever the function raises."""
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
        """How far it is. Raises whatever the function raises."""
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
        """Look again. Raises whatever the function raises."""
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
            raise Twice(f"two functions for '{right}'")
        held[right] = function  # type: ignore[assignment]
    return function
