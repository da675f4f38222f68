"""Hustings: a campaign's analytics department."""
