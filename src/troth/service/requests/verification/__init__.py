"""Verification of identity: by a mailed link, by stored data points, or by the company's own login."""
