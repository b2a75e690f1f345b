"""Every address of the service, each in one place."""

from django.contrib.auth import views as auth
from django.urls import path

from troth.service import pages

urlpatterns = [
    path(".well-known/security.txt", pages.security_txt, name="security-txt"),
    path(".well-known/gpc.json", pages.gpc, name="gpc"),
    path("staff/sign-in", auth.LoginView.as_view(template_name="sign_in.html"), name="sign-in"),
    path("staff/sign-out", auth.LogoutView.as_view(), name="sign-out"),
]

handler400 = "troth.service.pages.bad_request"
handler403 = "troth.service.pages.forbidden"
handler404 = "troth.service.pages.not_found"
handler500 = "troth.service.pages.server_error"
