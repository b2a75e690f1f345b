"""Contracts that connectors must pass, `stores.StoreContract` and `external_systems.AskedContract`, and test servers.

`vectors` runs published test vectors against our own ciphers and proofs.
"""
