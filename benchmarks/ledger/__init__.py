"""The ledger in a folder, beside hashing and writing the same bytes by hand."""
