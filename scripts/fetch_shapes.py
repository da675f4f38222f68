"""Make the shapes of the states for the briefing's map, from the npm package us-atlas.

    python scripts/fetch_shapes.py [us-atlas-3.0.1.tgz]

Without a file it is fetched by `npm pack`. Writes src/hustings/briefing/shapes/: `us-states.json` (outlines as SVG
paths, simplified along shared borders, so that neighbours still meet) and the licence.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[1]
OUT = PROJECT / "src/hustings/briefing/shapes"
PACKAGE = "us-atlas@3.0.1"
TOLERANCE = 1.2
"""Units of the 975 by 610 that the outlines are drawn in: less than a pixel of the page."""
SMALLEST = 8.0
"""Square units; smaller islands are left out, but never a state's largest ring."""
_CODES = (
    "01AL 02AK 04AZ 05AR 06CA 08CO 09CT 10DE 11DC 12FL 13GA 15HI 16ID 17IL 18IN 19IA 20KS 21KY 22LA 23ME 24MD 25MA "
    "26MI 27MN 28MS 29MO 30MT 31NE 32NV 33NH 34NJ 35NM 36NY 37NC 38ND 39OH 40OK 41OR 42PA 44RI 45SC 46SD 47TN 48TX "
    "49UT 50VT 51VA 53WA 54WV 55WI 56WY"
)
CODES = {word[:2]: word[2:] for word in _CODES.split()}
"""Of the states, by their number in the Census."""
Point = tuple[float, float]


def main() -> None:
    """Fetch, simplify and write."""
    with tempfile.TemporaryDirectory() as folder:
        if len(sys.argv) > 1:
            archive = Path(sys.argv[1])
        else:
            name = subprocess.run(
                ["npm", "pack", PACKAGE], cwd=folder, check=True, capture_output=True, text=True
            ).stdout.split()[-1]
            archive = Path(folder) / name
        with tarfile.open(fileobj=io.BytesIO(archive.read_bytes())) as package:
            atlas = json.load(package.extractfile("package/states-albers-10m.json"))  # type: ignore[arg-type]
            licence = package.extractfile("package/LICENSE").read().decode()  # type: ignore[union-attr]
    arcs = [simplified(decoded(arc, atlas["transform"])) for arc in atlas["arcs"]]
    places = {}
    for state in atlas["objects"]["states"]["geometries"]:
        polygons = state["arcs"] if state["type"] == "MultiPolygon" else [state["arcs"]]
        rings = [ring(one, arcs) for polygon in polygons for one in polygon]
        largest = max(area(points) for points in rings)
        kept = [points for points in rings if area(points) >= min(SMALLEST, largest)]
        path = "".join(drawn(points) for points in kept)
        places[CODES[state["id"]]] = {"name": state["properties"]["name"], "path": path}
    OUT.mkdir(exist_ok=True)
    text = {
        "source": f"{PACKAGE}, states-albers-10m",
        "width": 975,
        "height": 610,
        "places": dict(sorted(places.items())),
    }
    (OUT / "us-states.json").write_text(json.dumps(text, separators=(",", ":")) + "\n", encoding="utf-8")
    (OUT / "LICENSE.txt").write_text(licence, encoding="utf-8")
    print(f"Written: {(OUT / 'us-states.json').stat().st_size:,} bytes")


def decoded(arc: list[list[int]], transform: dict[str, Any]) -> list[Point]:
    """An arc's points: they are stored as steps on a grid."""
    x = y = 0
    found = []
    for dx, dy in arc:
        x, y = x + dx, y + dy
        found.append(
            (
                x * transform["scale"][0] + transform["translate"][0],
                y * transform["scale"][1] + transform["translate"][1],
            )
        )
    return found


def simplified(points: list[Point]) -> list[Point]:
    """The points that Douglas and Peucker keep; an arc that closes on itself keeps its farthest point."""
    if len(points) < 3:
        return points
    (ax, ay), (bx, by) = points[0], points[-1]
    length = ((bx - ax) ** 2 + (by - ay) ** 2) ** 0.5

    def away(p: Point) -> float:
        if length < 1e-9:
            return ((p[0] - ax) ** 2 + (p[1] - ay) ** 2) ** 0.5
        return abs((bx - ax) * (ay - p[1]) - (ax - p[0]) * (by - ay)) / length

    far = max(range(1, len(points) - 1), key=lambda i: away(points[i]))
    if away(points[far]) < TOLERANCE:
        return [points[0], points[-1]]
    return simplified(points[: far + 1])[:-1] + simplified(points[far:])


def ring(numbers: list[int], arcs: list[list[Point]]) -> list[Point]:
    """A closed line from its arcs; a number below 0 is an arc read backwards."""
    points: list[Point] = []
    for number in numbers:
        arc = arcs[number] if number >= 0 else arcs[~number][::-1]
        points += arc[1:] if points else arc
    return points


def drawn(points: list[Point]) -> str:
    """A ring as a closed SVG path: halves of a unit, as steps."""
    grid = [(round(2 * x), round(2 * y)) for x, y in points]
    steps = [(bx - ax, by - ay) for (ax, ay), (bx, by) in pairwise(grid)]
    told = " ".join(f"{written(dx)},{written(dy)}" for dx, dy in steps[:-1] if dx or dy)
    return f"M{written(grid[0][0])},{written(grid[0][1])}l{told}z"


def written(halves: int) -> str:
    """A number of halves as short as it can be written.

    >>> written(5), written(4)
    ('2.5', '2')
    """
    return f"{halves / 2:g}"


def area(points: list[Point]) -> float:
    """The area of a ring."""
    return abs(sum(ax * by - bx * ay for (ax, ay), (bx, by) in pairwise(points))) / 2


if __name__ == "__main__":
    main()
