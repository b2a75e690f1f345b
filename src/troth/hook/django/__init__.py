"""The hook of a Django application: the app, its address, and a memory in the application's own database.

    INSTALLED_APPS = [..., "troth.hook.django"]
    TROTH_HOOK = "shop.privacy.hook"                      # a `troth.hook.Hook`
    TROTH_HOOK_SECRET = os.environ["TROTH_HOOK_SECRET"]
    urlpatterns = [..., path("troth/", include("troth.hook.django.urls"))]

An ask is remembered in the transaction that does it: what is done in that database is done exactly once. It needs
Django and `troth.hook`, and neither Troth's service nor its settings.
"""

from troth.hook.django.memory import ModelMemory

__all__ = ["ModelMemory"]
