"""What tests stand on and the product does not ship: a ledger and a journal in files, and fakes of others' services."""
