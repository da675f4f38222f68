"""What was known of a person as of a day, and nothing later."""
