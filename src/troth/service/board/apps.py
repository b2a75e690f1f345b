from django.apps import AppConfig


class Board(AppConfig):
    name = "troth.service.board"
    label = "board"
    verbose_name = "Promise board"
