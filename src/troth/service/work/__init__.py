"""Work: durable flows that survive any crash, behind one adapter. Flows carry ids, never values.

`run` is the public interface: a duty writes its flows in its ``jobs.py`` with `flow`, `step` and `wait_for_word`, and
requests them with `want` in the transaction that causes them. `worker` is the loop that runs them, `engine` the one
adapter.
"""
