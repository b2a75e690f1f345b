"""Deterministic simulation: many processes in one thread, on one seeded scheduler, clock, database and network.

Everything that a schedule does follows from its seed: which task goes on, where a process is killed, which answer is
lost, how clocks jump. So a failure is found again with its seed alone:

    SIMULATION_SEED=4711 pytest tests/service/test_simulation.py

`tasks` switches between tasks and moves the clock, `database` injects faults into statements and commits, `world` runs
workers and actors on both. A duty brings an `Actor`: what people and other systems do, and what must be so at the end.
"""
