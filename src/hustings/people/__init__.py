"""Records ─► people, their households, and what happened to them."""
