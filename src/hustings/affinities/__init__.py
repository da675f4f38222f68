"""Who takes to whom: audiences and items from what people did when an item was the sender or the host."""
