"""The addresses of the console, beside those of staff."""

from __future__ import annotations

from django.urls import path

from troth.service.cases import console, console_intake, console_search, console_tasks, console_work
from troth.service.disclosure import console as disclosure
from troth.service.record import console as record

__all__ = ["urlpatterns"]

urlpatterns = [
    path("cases/", console.cases, name="cases"),
    path("cases/new/", console_intake.new_case, name="new-case"),
    path("cases/find", console.find, name="find-case"),
    path("cases/<str:reference>/", console.case, name="case"),
    path("cases/<str:reference>/approve", console.approve, name="approve-case"),
    path("cases/<str:reference>/document", console.document_file, name="case-document"),
    path("cases/<str:reference>/steps/<int:step>/give-up", console.give_up, name="give-up-step"),
    path("cases/<str:reference>/letters/<int:letter>/again", console.send_again, name="send-letter-again"),
    path("cases/<str:reference>/<slug:what>", console.act, name="act-on-case"),
    path("search/", console_search.search, name="search"),
    path("tasks/", console_tasks.tasks, name="tasks"),
    path("tasks/<int:pk>/", console_tasks.task, name="task"),
    path("tasks/<int:pk>/proof", console_tasks.proof, name="task-proof"),
    path("holds/", record.holds_page, name="holds"),
    path("holds/<int:pk>/keep", record.hold_kept, name="keep-hold"),
    path("holds/<int:pk>/release", record.hold_released, name="release-hold"),
    path("disclosures/", disclosure.disclosures, name="disclosures"),
    path("disclosures/received", disclosure.received_by, name="received-by"),
    path("disclosures/notices/<int:pk>", disclosure.notice_ended, name="end-notice"),
    path("work/", console_work.work, name="work"),
    path("work/flows/<int:pk>/go-on", console_work.go_on, name="go-on"),
    path("work/line/start", console_work.start_line, name="start-line"),
    path("work/letters/<int:pk>/again", console_work.send_again, name="send-again"),
]
