"""Polls, results and fundamentals ─► the result in every place, and what a vote is worth there."""
