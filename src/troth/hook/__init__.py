"""Hook: lets a company's own application answer data-subject requests about its users, in its own code.

    hook = Hook(FileMemory("/var/lib/shop/troth-hook.sqlite3"))

    @hook.answers("erase")
    def forget(ask: Ask) -> Answer:
        return Answer.did(erased=delete_customer(ask.email))

Troth asks over HTTP (`troth.hook.wsgi`, `troth.hook.django`) or in the same process. Over HTTP, asks are signed. Each
ask is executed once, and its effect is verified afterwards. The package depends only on the standard library and
`troth.errors`; its Django part also needs Django.
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
