"""Verification: who asks, shown by a mailed link, by stored data points or by the company's own login."""
