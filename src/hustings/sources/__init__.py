"""Files, and what their columns mean: from any layout to the collected tables."""
