"""What can be done ─► what to do, for whom, at what cost, for what expected gain."""
