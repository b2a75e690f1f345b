"""The addresses of the desk."""

from django.urls import include, path

urlpatterns = [path("privacy/", include("troth.hook.django.urls"))]
