"""Hook for Django applications: the app, its URL, and a memory in the application's own database.

    INSTALLED_APPS = [..., "troth.hook.django"]
    TROTH_HOOK = "shop.privacy.hook"                      # a `troth.hook.Hook`
    TROTH_HOOK_SECRET = os.environ["TROTH_HOOK_SECRET"]
    urlpatterns = [..., path("troth/", include("troth.hook.django.urls"))]

An ask is stored in the transaction that executes it, so changes to that database are made exactly once. The package
needs Django and `troth.hook`, but neither Troth's service nor its settings.
"""

from troth.hook.django.memory import ModelMemory

__all__ = ["ModelMemory"]
