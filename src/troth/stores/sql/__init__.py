"""SQL databases as stores: one class for all engines, and a dialect for each."""
