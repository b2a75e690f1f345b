"""A memory in the application's own database."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.db import transaction

from troth.hook.answering import Mixed, Remembered
from troth.hook.keeping import KEPT_S, check_value, is_settled, without_rows
from troth.hook.values import Answer, Ask, Right
from troth.hook.wire import dump_answer, read_answer


class ModelMemory:
    """Rows of the app ``troth.hook.django``, in the database that *using* names.

    The changes that a hook function makes in that database and the stored answer commit in one transaction: both or
    neither. The same ask from elsewhere waits for that transaction.
    """

    def __init__(self, using: str = "default") -> None:
        self._using = using

    def once(self, ask: Ask, act: Callable[[], Answer]) -> Answer:
        from troth.hook.django.models import RememberedAsk

        now, check = time.time(), check_value(ask)
        RememberedAsk.objects.using(self._using).filter(at__lt=now - KEPT_S).delete()
        with transaction.atomic(self._using):
            row, is_new = RememberedAsk.objects.using(self._using).get_or_create(
                id=ask.id, defaults={"right": ask.right, "check_value": check, "answer": b"", "at": now}
            )
            if not is_new:
                row = RememberedAsk.objects.using(self._using).select_for_update().get(pk=ask.id)
                if row.check_value != check:
                    raise Mixed(ask.id)
                if is_settled(held := read_answer(bytes(row.answer))[1]):
                    return held
            answer = act()
            row.answer = dump_answer(ask.id, without_rows(answer))
            row.save(update_fields=["answer"])
            return answer

    def recall(self, ask_id: str) -> Remembered | None:
        from troth.hook.django.models import RememberedAsk

        row = RememberedAsk.objects.using(self._using).filter(pk=ask_id).first()
        return None if row is None else Remembered(Right(row.right), read_answer(bytes(row.answer))[1])

    def remember(self, ask_id: str, right: Right, answer: Answer) -> None:
        from troth.hook.django.models import RememberedAsk

        said = dump_answer(ask_id, without_rows(answer))
        RememberedAsk.objects.using(self._using).update_or_create(
            id=ask_id,
            defaults={"answer": said},
            create_defaults={"right": right, "check_value": "", "answer": said, "at": time.time()},
        )

    def is_new(self, nonce: str, *, until: float) -> bool:
        from troth.hook.django.models import Nonce

        Nonce.objects.using(self._using).filter(until__lt=time.time()).delete()
        _, is_new = Nonce.objects.using(self._using).get_or_create(nonce=nonce, defaults={"until": until})
        return is_new
