"""One calibrated number about each person, and the card of the model that made it."""
