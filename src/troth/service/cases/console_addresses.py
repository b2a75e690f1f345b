"""The addresses of the console's pages of cases."""

from __future__ import annotations

from django.urls import path

from troth.service.cases import console

__all__ = ["urlpatterns"]

urlpatterns = [
    path("cases/", console.cases, name="cases"),
    path("cases/find", console.find, name="find-case"),
    path("cases/<str:reference>/", console.case, name="case"),
    path("cases/<str:reference>/approve", console.approve, name="approve-case"),
    path("cases/<str:reference>/<slug:what>", console.act, name="act-on-case"),
]
