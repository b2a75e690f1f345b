"""Folders of CSV, JSON Lines and Parquet files as stores."""
