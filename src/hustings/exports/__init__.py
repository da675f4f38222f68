"""A plan ─► the files that leave the building."""
