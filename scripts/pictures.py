"""Draw the pictures of the docs: the briefing of the Michigan example, in a real browser.

    python scripts/pictures.py

Needs Chromium and the public data of the example. Writes docs/pictures/briefing.png.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from hustings import flow
from hustings.briefing.publish import write_page
from hustings.campaign import read_campaign

PROJECT = Path(__file__).resolve().parents[1]
OUT = PROJECT / "docs/pictures/briefing.png"


def main() -> None:
    """Run the example in a new folder and photograph its page."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(PROJECT / "examples/michigan-2006/campaign.toml", folder)
        campaign = read_campaign(Path(folder))
        flow.run(campaign)
        page_file = write_page(campaign)
        OUT.parent.mkdir(exist_ok=True)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"),
                args=["--no-sandbox", "--disable-quic", "--disable-background-networking"],
            )
            page = browser.new_page(viewport={"width": 1180, "height": 900})
            page.goto(page_file.as_uri())
            page.screenshot(path=OUT, full_page=True)
            browser.close()
    print(f"Written: {OUT.relative_to(PROJECT)}")


if __name__ == "__main__":
    main()
