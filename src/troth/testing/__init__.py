"""What connectors are held to, `stores.StoreContract` and `asked.AskedContract`, and servers to test against.

`vectors` runs published test vectors against our own ciphers and proofs.
"""
