# /// script
# requires-python = ">=3.11"
# dependencies = ["fonttools>=4.55", "brotli>=1.1"]
# ///
"""Fetch the briefing's fonts from npm, with their licences and the widths of their letters.

The briefing carries its fonts inside the page, and its charts place text by the true widths of letters.
Both come from the npm packages `@fontsource/source-serif-4` and `@fontsource/source-sans-3` (SIL Open Font
License 1.1), fetched once by this script and committed. Run it again, with npm on the path, only to move to
a newer version of the fonts:

    uv run scripts/fetch_fonts.py
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from fontTools.ttLib import TTFont

TARGET = Path(__file__).resolve().parents[1] / "src" / "hustings" / "briefing" / "fonts"
VERSION = "5.3.1"
FONTS = {"source-serif-4": (600,), "source-sans-3": (400, 600)}
MEASURED = [
    chr(code) for code in (*range(0x20, 0x7F), *range(0xA0, 0x180), *range(0x2010, 0x2027), 0x20AC, 0x2212)
]


def download(package: str, folder: Path) -> Path:
    """The unpacked npm package."""
    command = [
        "npm",
        "pack",
        f"@fontsource/{package}@{VERSION}",
        "--silent",
        "--pack-destination",
        str(folder),
    ]
    name = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1]
    with tarfile.open(folder / name) as archive:
        archive.extractall(folder / package, filter="data")
    return folder / package / "package"


def advances(font: TTFont) -> dict[str, int]:
    """Width of each letter that the font has, in thousandths of the type size."""
    names, widths, scale = font.getBestCmap(), font["hmtx"], 1000 / font["head"].unitsPerEm
    return {c: round(widths[names[ord(c)]][0] * scale) for c in MEASURED if ord(c) in names}


def main() -> None:
    """Write the fonts, one licence each, and `widths.json`."""
    TARGET.mkdir(parents=True, exist_ok=True)
    widths: dict[str, dict[str, int]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for package, weights in FONTS.items():
            unpacked = download(package, Path(scratch))
            for weight in weights:
                woff2 = TARGET / f"{package}-{weight}.woff2"
                shutil.copyfile(unpacked / "files" / f"{package}-latin-{weight}-normal.woff2", woff2)
                font = TTFont(woff2)
                if package == "source-sans-3":
                    widths[str(weight)] = advances(font)
            # The package's own text names the distributor only; the owner stands in the font.
            owner = font["name"].getDebugName(0)
            licence = (unpacked / "LICENSE").read_text(encoding="utf-8")
            (TARGET / f"OFL-{package}.txt").write_text(f"{owner}\n\n{licence}", encoding="utf-8")
    text = json.dumps(widths, ensure_ascii=False, separators=(",", ":"))
    (TARGET / "widths.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
