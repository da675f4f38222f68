"""Polls, own surveys, past results and the count itself ─► the result in every place, and what a vote is worth there."""
