"""Incoming e-mail: each message of a mailbox goes to the duties that registered for it, until one takes it."""
