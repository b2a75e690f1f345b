"""URLs of the privacy centre."""

from __future__ import annotations

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from troth.service.cases.pages.base import RIGHTS
from troth.service.requests.pages import views


class _RightConverter(StringConverter):
    """A right that has a form, so that other addresses lead nowhere: sign-in asks the URLconf which pages there are."""

    regex = "|".join(RIGHTS)


register_converter(_RightConverter, "right")

urlpatterns = [
    path("", views.home, name="centre"),
    path("choices/", views.choices, name="centre-choices"),
    path("complain/", views.complain, name="centre-complain"),
    path("ask/", views.question, name="centre-question"),
    path("sent/", views.sent, name="centre-sent"),
    path("again/", views.ask_again, name="centre-again"),
    path("case/", views.case_page, name="centre-case"),
    path("case/prove", views.prove_points, name="centre-prove"),
    path("case/answer", views.answer, name="centre-answer"),
    path("case/withdraw", views.take_back, name="centre-take-back"),
    path("case/appeal", views.appeal_form, name="centre-appeal"),
    path("case/package", views.fetch_package, name="centre-package"),
    path("case/receipt/<int:leaf>", views.receipt_page, name="centre-receipt"),
    path("case/receipt/<int:leaf>.tlog-proof", views.receipt_file, name="centre-receipt-text"),
    path("<right:right>/", views.ask_for, name="centre-right"),
]
