"""URLs of the privacy centre."""

from __future__ import annotations

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from troth.service.requests.models import RIGHTS
from troth.service.requests.pages import views


class _RightConverter(StringConverter):
    """A right that has a form, so that other addresses lead nowhere: sign-in asks the URLconf which pages there are."""

    regex = "|".join(RIGHTS)


register_converter(_RightConverter, "right")

urlpatterns = [
    path("", views.home, name="centre"),
    path("choices/", views.choices, name="centre-choices"),
    path("case/prove", views.prove_points, name="centre-prove"),
    path("case/package", views.fetch_package, name="centre-package"),
    path("<right:right>/", views.ask_for, name="centre-right"),
]
