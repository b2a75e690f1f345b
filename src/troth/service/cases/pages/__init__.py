"""The privacy centre: the public pages for the people whom the data is about."""
