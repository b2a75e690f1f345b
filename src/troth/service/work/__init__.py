"""Work: durable flows that survive any crash, behind one adapter. Flows carry ids, never values.

`run` is the front door: a duty writes its flows in its ``jobs.py`` with `flow`, `step` and `wait_for_word`,
and wants them in the transaction of what they follow from. `worker` is the loop that carries them, `engine` the one
adapter.
"""
