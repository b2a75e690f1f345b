"""Assurance: runs controls when due, keeps their evidence, and determines the status of promises."""
