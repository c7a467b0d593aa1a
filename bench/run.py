"""`make bench`: measures, and writes docs/book/performance.md.

    run.py --programs DIRECTORY --peers DIRECTORY [--quick] [--only PART...] [--keep]

`--quick` makes fewer and shorter rounds and leaves ten million tokens out. A run that is quick, or of some parts only,
is written to target/bench/performance.md instead of the book.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from pathlib import Path

import page
from bench import MAIN, ROOT, Bench, say
from page import Page
from parts import PARTS
from processes import Failure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=Path, required=True)
    parser.add_argument("--peers", type=Path, required=True)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--keep", action="store_true", help="leave the filled installations for the next run")
    parser.add_argument("--only", nargs="*", choices=PARTS, default=list(PARTS))
    bench = Bench(parser.parse_args())
    try:
        conduct(bench)
    except Failure as failure:
        sys.exit(f"bench: {failure}")
    finally:
        bench.servers.stop()
        bench.main.stop()
        if not bench.options.keep:
            shutil.rmtree(bench.work, ignore_errors=True)


def conduct(bench: Bench) -> None:
    """Runs the parts and writes the page."""
    options, began = bench.options, time.monotonic()
    say(f"filling {MAIN:,} tokens")
    bench.main.fill()
    bench.main.start()
    for name in options.only:
        say(f"measuring: {name}")
        PARTS[name](bench)
        bench.servers.stop()
    whole = not options.quick and set(options.only) == set(PARTS)
    body, bench.page = bench.page, Page()
    bench.page.text(
        f"Measured {page.today()} on {page.machine()}; {bench.rounds} rounds of {bench.secs:g} s for each "
        f"server{'' if whole else ', **a part of the whole measurement**'}; load average at the end "
        f"{os.getloadavg()[0]:.1f}; all of it in {(time.monotonic() - began) / 60:.0f} minutes.")
    bench.page.text("## Bars")
    bench.page.table(["what", "at most (stretch)", "measured", ""], bench.bars)
    bench.page.parts.extend(body.parts)
    written = ROOT / "docs" / "book" / "performance.md"
    if not whole:
        short = bench.target / "bench" / "performance.md"
        shutil.copy(written, short)
        written = short
    bench.page.write(written)
    (bench.target / "bench" / "results.json").write_text(json.dumps(bench.results, indent=1))
    say(f"written: {written}")


if __name__ == "__main__":
    main()
