"""Pages about staff: one's own account, who works here, what each may do, and the review of it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from troth.service.staff.doors import signed_in, standing_of

__all__ = ["account", "home", "invitation", "sign_undertaking"]


@signed_in
def home(request: HttpRequest) -> HttpResponse:
    return render(request, "console/home.html", {"here": "console", "standing": standing_of(request)})


def account(request: HttpRequest) -> HttpResponse:
    return render(request, "staff/account.html", {})


def sign_undertaking(request: HttpRequest) -> HttpResponse:
    return render(request, "staff/account.html", {})


def invitation(request: HttpRequest, token: str) -> HttpResponse:
    return render(request, "staff/account.html", {})
