"""URLs of the console for cases."""

from __future__ import annotations

from django.urls import path

from troth.service.cases.console import cases, new_case, search

urlpatterns = [
    path("cases/", cases.cases, name="cases"),
    path("cases/new/", new_case.new_case, name="new-case"),
    path("cases/find", cases.find, name="find-case"),
    path("cases/<str:reference>/", cases.case, name="case"),
    path("cases/<str:reference>/approve", cases.approve, name="approve-case"),
    path("cases/<str:reference>/letters/<int:letter>/again", cases.send_again, name="send-letter-again"),
    path("cases/<str:reference>/letters/<int:letter>/reached", cases.reached, name="letter-reached"),
    path("cases/<str:reference>/<slug:what>", cases.act, name="act-on-case"),
    path("search/", search.search, name="search"),
]
