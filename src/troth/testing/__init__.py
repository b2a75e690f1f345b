"""What connectors and logs are held to: `stores.StoreContract`, `ledger.LogContract`, and servers to test against."""
