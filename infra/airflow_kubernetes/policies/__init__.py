"""Rules for the objects of every environment, waivers, and sums of resources; pure functions."""
