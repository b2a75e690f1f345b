"""The privacy centre: what the people see whom the data is about."""
