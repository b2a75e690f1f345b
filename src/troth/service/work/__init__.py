"""Work: durable flows that survive any crash, behind one adapter. Flows carry ids, never values."""
