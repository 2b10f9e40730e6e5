"""Rules that every environment's objects keep, as pure functions; waivers; sums of resources."""
