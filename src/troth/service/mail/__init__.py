"""Transactional e-mail: queued with the change that causes it, and sent once. Newsletters come later.

`rules.Letter` describes an e-mail; `actions.post` writes and queues it in the caller's transaction; `actions.send_due`
sends due ones, and `actions.again` requeues a failed one.
"""
