"""URLs of the console, in addition to those of the staff app."""

from __future__ import annotations

from django.urls import path

from troth.service.requests.console import halts, tasks

urlpatterns = [
    path("cases/<str:reference>/steps/<int:step>/give-up", tasks.give_up, name="give-up-step"),
    path("tasks/", tasks.tasks, name="tasks"),
    path("tasks/<int:pk>/", tasks.task, name="task"),
    path("tasks/<int:pk>/proof", tasks.proof, name="task-proof"),
    path("work/", halts.halts, name="work"),
    path("work/jobs/<int:pk>/go-on", halts.go_on, name="go-on"),
    path("work/line/start", halts.resume_processing, name="start-line"),
    path("work/clock/confirm", halts.confirm_clock, name="confirm-clock"),
    path("work/letters/<int:pk>/again", halts.send_again, name="send-again"),
]
