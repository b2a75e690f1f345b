"""URLs of staff: account, sign-in and console. Each view carries its access rule."""

from __future__ import annotations

from typing import Any

from allauth.account import views as account
from allauth.mfa.base import views as factors
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from allauth.socialaccount import views as company_login
from allauth.socialaccount.providers.openid_connect import views as openid
from django.urls import path
from django.views.decorators.http import require_safe

from troth.service.access_rules import public
from troth.service.staff.console import access_log, holds
from troth.service.staff.console import people as console
from troth.service.staff.passkeys import with_passkeys
from troth.service.staff.permissions import signed_in


def _open(view: Any) -> Any:
    return public(with_passkeys(view))


def _own(view: Any) -> Any:
    return signed_in(with_passkeys(view))


_sign_in, _sign_out = _open(account.login), public(account.logout)

urlpatterns = [
    # signing in; allauth requires these names
    path("staff/sign-in", _sign_in, name="sign-in"),
    path("staff/sign-in", _sign_in, name="account_login"),
    path("staff/sign-out", _sign_out, name="sign-out"),
    path("staff/sign-out", _sign_out, name="account_logout"),
    path("staff/sign-in/code", _open(factors.authenticate), name="mfa_authenticate"),
    path("staff/sign-in/passkey", public(passkeys.login_webauthn), name="mfa_login_webauthn"),
    path("staff/invitation/<str:token>", console.invitation, name="invitation"),
    # the company's own login
    path("staff/company/<str:provider_id>/login/", _open(openid.login), name="openid_connect_login"),
    path("staff/company/<str:provider_id>/login/callback/", public(openid.callback), name="openid_connect_callback"),
    path("staff/company/cancelled", public(company_login.login_cancelled), name="socialaccount_login_cancelled"),
    path("staff/company/failed", public(company_login.login_error), name="socialaccount_login_error"),
    # own account
    path("staff/account/", console.account, name="account"),
    path("staff/account/factors", console.account, name="mfa_index"),
    path("staff/account/sign", console.sign_undertaking, name="sign-undertaking"),
    path("staff/account/password", signed_in(account.password_change), name="account_change_password"),
    path("staff/account/password/first", signed_in(account.password_set), name="account_set_password"),
    path("staff/account/again", _own(account.reauthenticate), name="account_reauthenticate"),
    path("staff/account/again/code", _own(factors.reauthenticate), name="mfa_reauthenticate"),
    path("staff/account/again/passkey", _own(passkeys.reauthenticate_webauthn), name="mfa_reauthenticate_webauthn"),
    path("staff/account/code/add", signed_in(totp.activate_totp), name="mfa_activate_totp"),
    path("staff/account/code/remove", signed_in(totp.deactivate_totp), name="mfa_deactivate_totp"),
    path("staff/account/recovery", signed_in(codes.view_recovery_codes), name="mfa_view_recovery_codes"),
    path("staff/account/recovery/new", signed_in(codes.generate_recovery_codes), name="mfa_generate_recovery_codes"),
    path(
        "staff/account/recovery/file",
        signed_in(require_safe(codes.download_recovery_codes)),
        name="mfa_download_recovery_codes",
    ),
    path("staff/account/passkeys", console.account, name="mfa_list_webauthn"),
    path("staff/account/passkeys/add", _own(passkeys.add_webauthn), name="mfa_add_webauthn"),
    path("staff/account/passkeys/<int:pk>/remove", signed_in(passkeys.remove_webauthn), name="mfa_remove_webauthn"),
    path("staff/account/passkeys/<int:pk>", signed_in(passkeys.edit_webauthn), name="mfa_edit_webauthn"),
    # the console
    path("console/", console.home, name="console"),
    path("console/staff/", console.staff, name="staff"),
    path("console/staff/invite", console.invite, name="invite"),
    path("console/staff/review", console.review, name="review"),
    path("console/staff/<int:pk>", console.member, name="member"),
    path("console/staff/<int:pk>/leave", console.leave, name="leave"),
    path("console/staff/<int:pk>/invitation", console.renew, name="renew-invitation"),
    path("console/staff/grants/<int:pk>/end", console.end_grant, name="end-grant"),
    path("console/accesses/", access_log.accesses, name="access-log"),
    path("console/officer/", console.officer, name="officer"),
    path("console/officer/tell", console.tell, name="tell"),
    path("console/officer/<int:pk>/close", console.close_told, name="close-told"),
    path("console/holds/", holds.holds_page, name="holds"),
    path("console/holds/<int:pk>/keep", holds.change_hold, {"is_kept": True}, name="keep-hold"),
    path("console/holds/<int:pk>/release", holds.change_hold, {"is_kept": False}, name="release-hold"),
]
