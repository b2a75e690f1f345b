"""The addresses of the privacy centre."""

from __future__ import annotations

from django.urls import path

from troth.service.cases import centre, centre_sign_in

__all__ = ["urlpatterns"]

urlpatterns = [
    path("", centre.home, name="centre"),
    path("choices/", centre.choices, name="centre-choices"),
    path("complain/", centre.complain, name="centre-complain"),
    path("ask/", centre.question, name="centre-question"),
    path("sent/", centre.sent, name="centre-sent"),
    path("again/", centre.ask_again, name="centre-again"),
    path("signed-in", centre_sign_in.hand_over, name="centre-signed-in"),
    path("sign-in", centre_sign_in.sign_in, name="centre-sign-in"),
    path("sign-in/back", centre_sign_in.come_back, name="centre-sign-in-back"),
    path("link/<str:secret>", centre.follow_link, name="centre-link"),
    path("case/", centre.case_page, name="centre-case"),
    path("case/prove", centre.prove_points, name="centre-prove"),
    path("case/document", centre.send_document, name="centre-document"),
    path("case/answer", centre.answer, name="centre-answer"),
    path("case/withdraw", centre.take_back, name="centre-take-back"),
    path("case/appeal", centre.appeal_form, name="centre-appeal"),
    path("case/package", centre.fetch_package, name="centre-package"),
    path("case/receipt/<int:leaf>", centre.receipt_page, name="centre-receipt"),
    path("case/receipt/<int:leaf>.tlog-proof", centre.receipt_file, name="centre-receipt-text"),
    path("case/leave", centre.leave, name="centre-leave"),
    path("<slug:right>/", centre.ask_for, name="centre-right"),
]
