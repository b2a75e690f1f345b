"""URL that processors call."""

from __future__ import annotations

from django.urls import path

from troth.service.processors import pages

urlpatterns = [path("mailchimp/<str:secret>", pages.mailchimp, name="processors-mailchimp")]
