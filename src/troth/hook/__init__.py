"""The hook: how a company's own application answers for the people in it, in its own code.

    hook = Hook(FileMemory("/var/lib/shop/troth-hook.sqlite3"))

    @hook.answers("erase")
    def forget(ask: Ask) -> Answer:
        return Answer.did(erased=delete_customer(ask.email))

Troth asks over HTTP (`troth.hook.wsgi`, `troth.hook.django`) or in the same process; every ask is signed, done once,
and looked at again afterwards. This room stands apart: it needs the standard library, and the Django part Django.
"""

from troth.hook.answering import Hook, Memory, Mixed, Remembered, Twice
from troth.hook.looking import looked
from troth.hook.memory import FileMemory
from troth.hook.receiving import Receiver, Reply
from troth.hook.values import KINDS, Answer, AnswerState, Ask, Cell, HookError, Kept, Malformed, Right, Rows
from troth.hook.wire import HEADER, SecretRefused, SignatureRefused

__all__ = [
    "HEADER",
    "KINDS",
    "Answer",
    "AnswerState",
    "Ask",
    "Cell",
    "FileMemory",
    "Hook",
    "HookError",
    "Kept",
    "Malformed",
    "Memory",
    "Mixed",
    "Receiver",
    "Remembered",
    "Reply",
    "Right",
    "Rows",
    "SecretRefused",
    "SignatureRefused",
    "Twice",
    "looked",
]
