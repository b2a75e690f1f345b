"""Processors that write to people for us: their mailing lists are kept in sync with what people chose and with whom we
erased, and theirs with ours."""
