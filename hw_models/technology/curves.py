"""Curves through the points of a table: piecewise linear in widths, power laws in products and capacities."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass

Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Line:
    """Piecewise linear curve through (0, 0) and `points`, extrapolated with the last slope.

    With one point it is proportional. It is exact at its points, and increasing if the points increase. `points` are
    (x, y) with x ascending and above 0.
    """

    points: Points

    def at(self, x: float) -> float:
        """y at x >= 0."""
        knots = ((0.0, 0.0), *self.points)
        right = min(bisect_right(knots, x, key=_abscissa), len(knots) - 1)
        (x0, y0), (x1, y1) = knots[right - 1], knots[right]
        if x == x1:
            return y1
        return y0 + (y1 - y0) * (x - x0) / (x1 - x0)

    def scaled(self, factor: float) -> Line:
        """The same curve with every y times `factor`."""
        return Line(tuple((x, y * factor) for x, y in self.points))


@dataclass(frozen=True, slots=True)
class PowerLaw:
    """Piecewise power law: linear in log x, log y through `points`, extrapolated with the slopes at both ends.

    With one point it is proportional to x. It is exact at its points. `points` are (x, y), all above 0, x ascending.
    """

    points: Points

    def at(self, x: float) -> float:
        """y at x > 0."""
        if len(self.points) == 1:
            x0, y0 = self.points[0]
            return y0 * (x / x0)
        right = min(max(bisect_right(self.points, x, key=_abscissa), 1), len(self.points) - 1)
        (x0, y0), (x1, y1) = self.points[right - 1], self.points[right]
        if x == x1:
            return y1
        exponent = math.log(y1 / y0) / math.log(x1 / x0)
        return float(y0 * (x / x0) ** exponent)

    def scaled(self, factor: float) -> PowerLaw:
        """The same curve with every y times `factor`."""
        return PowerLaw(tuple((x, y * factor) for x, y in self.points))


def _abscissa(point: tuple[float, float]) -> float:
    return point[0]
