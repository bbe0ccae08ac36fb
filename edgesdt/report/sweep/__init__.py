"""The page of a sweep: points, effects, fronts and recommendations."""
