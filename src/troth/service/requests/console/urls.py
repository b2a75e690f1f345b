"""URLs of the console, in addition to those of the staff app."""

from __future__ import annotations

from django.urls import path

from troth.service.requests.console import cases, halts, new_case, search, tasks

urlpatterns = [
    path("cases/", cases.cases, name="cases"),
    path("cases/new/", new_case.new_case, name="new-case"),
    path("cases/find", cases.find, name="find-case"),
    path("cases/<str:reference>/", cases.case, name="case"),
    path("cases/<str:reference>/approve", cases.approve, name="approve-case"),
    path("cases/<str:reference>/steps/<int:step>/give-up", cases.give_up, name="give-up-step"),
    path("cases/<str:reference>/letters/<int:letter>/again", cases.send_again, name="send-letter-again"),
    path("cases/<str:reference>/<slug:what>", cases.act, name="act-on-case"),
    path("search/", search.search, name="search"),
    path("tasks/", tasks.tasks, name="tasks"),
    path("tasks/<int:pk>/", tasks.task, name="task"),
    path("tasks/<int:pk>/proof", tasks.proof, name="task-proof"),
    path("work/", halts.halts, name="work"),
    path("work/jobs/<int:pk>/go-on", halts.go_on, name="go-on"),
    path("work/line/start", halts.resume_processing, name="start-line"),
    path("work/clock/confirm", halts.confirm_clock, name="confirm-clock"),
    path("work/letters/<int:pk>/again", halts.send_again, name="send-again"),
]
