"""URLs of cases in the privacy centre."""

from __future__ import annotations

from django.urls import path

from troth.service.cases.pages import views

urlpatterns = [
    path("sent/", views.sent, name="centre-sent"),
    path("again/", views.ask_again, name="centre-again"),
    path("case/", views.case_page, name="centre-case"),
    path("case/answer", views.answer, name="centre-answer"),
    path("case/withdraw", views.take_back, name="centre-take-back"),
    path("case/receipt/<int:leaf>", views.receipt_page, name="centre-receipt"),
    path("case/receipt/<int:leaf>.tlog-proof", views.receipt_file, name="centre-receipt-text"),
]
