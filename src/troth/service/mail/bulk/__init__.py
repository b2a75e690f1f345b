"""Mail to many: one text for an audience, each recipient with one outcome, and no message after a stop.

A duty registers a kind of edition (`Duty.editions`, `kinds.EditionKind`). `actions` plans and starts an edition;
`delivery` hands its groups over.
"""
