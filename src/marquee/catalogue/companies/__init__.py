"""Who made titles, and who broadcasts them."""
