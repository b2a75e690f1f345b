"""URLs of the privacy centre."""

from __future__ import annotations

from django.urls import path

from troth.service.requests.pages import sign_in, views

urlpatterns = [
    path("", views.home, name="centre"),
    path("choices/", views.choices, name="centre-choices"),
    path("complain/", views.complain, name="centre-complain"),
    path("ask/", views.question, name="centre-question"),
    path("sent/", views.sent, name="centre-sent"),
    path("again/", views.ask_again, name="centre-again"),
    path("signed-in", sign_in.hand_over, name="centre-signed-in"),
    path("sign-in", sign_in.sign_in, name="centre-sign-in"),
    path("sign-in/back", sign_in.come_back, name="centre-sign-in-back"),
    path("link/<str:secret>", views.follow_link, name="centre-link"),
    path("case/", views.case_page, name="centre-case"),
    path("case/prove", views.prove_points, name="centre-prove"),
    path("case/answer", views.answer, name="centre-answer"),
    path("case/withdraw", views.take_back, name="centre-take-back"),
    path("case/appeal", views.appeal_form, name="centre-appeal"),
    path("case/package", views.fetch_package, name="centre-package"),
    path("case/receipt/<int:leaf>", views.receipt_page, name="centre-receipt"),
    path("case/receipt/<int:leaf>.tlog-proof", views.receipt_file, name="centre-receipt-text"),
    path("case/leave", views.leave, name="centre-leave"),
    path("<slug:right>/", views.ask_for, name="centre-right"),
]
