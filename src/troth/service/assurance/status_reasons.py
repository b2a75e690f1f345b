"""Reasons for status changes, in words that name nobody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise as Lazy
from django.utils.translation import gettext, gettext_lazy

from troth.controls import INSIDE, Cause, Control, Figure, banded
from troth.declaration import Audience, Granularity, Promise
from troth.service.assurance.models import ChangeRow


@dataclass(frozen=True, slots=True)
class ChangeReason:
    """A change as an audience may see it."""

    change: ChangeRow
    why: str
    figures: Mapping[str, Figure]
    summary: str = ""


def reason_sentence(
    change: ChangeRow, promise: Promise, controls: Mapping[str, Control], audience: Audience
) -> ChangeReason:
    """Explain a change to *audience*. Outside, a control that no longer belongs to the promise is not named, because
    nobody has approved that; and none is if the promise shows only its status."""
    inside = audience in INSIDE
    control = controls.get(change.control)
    is_open = change.control in promise.controls and promise.granularity is not Granularity.NONE
    is_named = control is not None and (inside or is_open)
    why = _why(change.cause, control.question if control is not None and is_named else "")
    if inside:
        return ChangeReason(change, why, change.figures, change.summary)
    figures = change.figures if promise.granularity is Granularity.EXACT else banded(change.figures)
    return ChangeReason(change, why, figures if is_named else {})


_WHY: Mapping[str, str | Lazy] = {
    Cause.PASSED: gettext_lazy("%(check)s passed."),
    Cause.FAILED: gettext_lazy("%(check)s failed."),
    Cause.WAIVED: gettext_lazy("%(check)s failed, and that was accepted for a while."),
    Cause.DOUBTED: gettext_lazy("%(check)s failed, but not often enough in a row to count as broken."),
    Cause.ERRED: gettext_lazy("%(check)s could not be checked."),
    Cause.PARTIAL: gettext_lazy("%(check)s was checked only in part."),
    Cause.STALE: gettext_lazy("%(check)s was checked too long ago."),
    Cause.OUTDATED: gettext_lazy("%(check)s was last checked before something that it depends on changed."),
    Cause.UNCHECKED: gettext_lazy("%(check)s had never been checked."),
    Cause.UNBOUND: gettext_lazy("Nothing showed whether it was kept."),
    Cause.INAPPLICABLE: gettext_lazy("A check showed nothing yet."),
    Cause.STATED: gettext_lazy("A named person attested it."),
    Cause.LAPSED: gettext_lazy("The attestation of a named person had expired."),
    Cause.UNAPPROVED: gettext_lazy("The attestation of a named person waited for approval by a second person."),
}


def _why(cause: str, question: str) -> str:
    subject = f"“{question}”" if question else gettext("A check")
    return str(_WHY.get(cause) or gettext("The reason was not recorded.")) % {"check": subject}
