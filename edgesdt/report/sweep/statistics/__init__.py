"""Statistics over the points of a sweep: fronts, effects, scatter of seeds."""
