"""What connectors and logs are held to: `stores.StoreContract`, `ledger.LogContract`, and servers to test against.

`vectors` runs published test vectors against our own ciphers and proofs.
"""
