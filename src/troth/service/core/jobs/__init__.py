"""Background jobs: enqueued in the caller's transaction, run by any worker, resumed after every crash.

A duty registers its jobs in its ``jobs.py`` with `registry.job`, and enqueues them with `queue.enqueue`. `worker`
claims and runs them; `running` is a job while it runs: its steps, waits and retries. Jobs carry ids, never values.

Nothing else has leases, heartbeats or retries.
"""
