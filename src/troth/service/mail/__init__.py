"""Mail: letters that must be sent, queued with the change that asks for them and sent once. Newsletters come later.

`plan.Letter` says what is to be written to whom; `run.post` writes it and queues it in the caller's transaction;
`run.send_due` sends what is due, and `run.again` what could not be sent.
"""
