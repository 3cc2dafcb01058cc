"""lotlaw beside other programs that book lots, at the same ledgers: a fifth of all lots stay open.

What each does is not the same, and the page says so: lotlaw files a return with all its forms; coinbasis and rp2 match
lots and know the term; beancount books a ledger. Their totals have to agree to the cent: else there is no comparison.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import generate
from measure import Cost, once, typical

HERE = Path(__file__).resolve().parent
PEERS = Path(os.environ.get("LOTLAW_PEERS", str(Path(sys.prefix) / "peers"))) / "bin" / "python"
NAMES = ("coinbasis", "beancount", "rp2")
OWN = "lotlaw"
SIZES = (1_000, 10_000, 100_000)
ONCE = 1_000_000
"""At this size each program runs once."""
PATIENCE = 3600
YEAR = 2025

Took = dict[int, dict[str, Cost]]


def fifth_open(path: Path, rows: int) -> Path:
    """Purchases, and after each a sale of four fifths of the units: whole units at whole cents, so nobody rounds."""
    chance = random.Random(rows)
    time, step = datetime(YEAR, 1, 2, tzinfo=UTC), timedelta(days=360) / rows
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write("time,kind,asset,asset_class,quantity,amount,account\n")
        for _ in range(rows // 2):
            asset, units = chance.choice(generate.CRYPTO)[0], 5 * chance.randint(1, 200)
            for kind, quantity in (("buy", units), ("sell", units * 4 // 5)):
                cents = quantity * chance.randint(900, 1100)
                stamp = f"{time:%Y-%m-%dT%H:%M:%SZ}"
                file.write(f"{stamp},{kind},{asset},crypto,{quantity},{Decimal(cents).scaleb(-2)},main\n")
                time += step
    return path


def measured(folder: Path, lotlaw: Callable[[Path], Callable[[], Cost]], sizes: Sequence[int], runs: int) -> Took:
    """What each program takes by number of transactions; those that do not finish are missing."""
    if not PEERS.exists():
        print(f"no peers: {PEERS} is not there (make bench sets it up)", file=sys.stderr)
        return {}
    took: Took = {}
    for rows in sizes:
        ledger = fifth_open(folder / f"fifth-{rows}.csv", rows)
        programs = {OWN: lotlaw(ledger)}
        gain = _own_gain(programs[OWN], folder)
        for name in NAMES:
            if _agrees(name, ledger, gain):
                programs[name] = lambda name=name, ledger=ledger: once(_command(name, ledger))  # type: ignore[misc]
        rounds = [[program() for program in programs.values()] for _ in range(runs if rows < ONCE else 1)]
        took[rows] = dict(zip(programs, map(typical, zip(*rounds, strict=True)), strict=True))
    return took


def _command(name: str, ledger: Path) -> list[str]:
    return [str(PEERS), str(HERE / "peers.py"), name, str(ledger)]


def _own_gain(run: Callable[[], Cost], folder: Path) -> Decimal:
    run()
    form = json.loads((folder / "out" / "return.json").read_text(encoding="utf-8"))["form_8949"]
    return sum((Decimal(box["totals"]["h"]) for box in form), Decimal(0))


def _agrees(name: str, ledger: Path, gain: Decimal) -> bool:
    """Whether a peer finishes in an hour; ends everything if it comes to another gain."""
    try:
        done = subprocess.run(_command(name, ledger), capture_output=True, text=True, check=False, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        return False
    if done.returncode:
        sys.exit(f"{name} ended with {done.returncode}:\n{done.stderr}")
    theirs = Decimal(json.loads(done.stdout)["gain"])
    if theirs != gain:
        sys.exit(f"{name} comes to a gain of {theirs}, lotlaw to {gain}")
    return True


# The page


def table(took: Took) -> str:
    """Processor time by the clock's side, and memory, of each program at each size."""
    lines = [["transactions", "program", "all cores", "times lotlaw", "clock", "peak memory"], ["---"] * 6]
    for rows, costs in took.items():
        for name, cost in costs.items():
            times = cost.cpu / costs[OWN].cpu
            figures = [f"{cost.cpu:,.2f} s", f"{times:,.1f}", f"{cost.wall:,.2f} s", f"{cost.peak / 1e6:,.0f} MB"]
            lines.append([f"{rows:,}", name, *figures])
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


WIDTH, BAR, GAP, LEFT, SCALE = 760, 16, 14, 190, 110
COLORS = {OWN: "#1a7f37", "coinbasis": "#8c959f", "beancount": "#afb8c1", "rp2": "#6e7781"}


def picture(took: Took) -> str:
    """Processor time as bars, each step of ten as long as the one before."""
    from math import log10

    bars, y = [], 34
    for rows, costs in took.items():
        for name, cost in costs.items():
            long = max(2, (log10(cost.cpu) + 1) * SCALE)
            text = f'<text x="{LEFT - 8}" y="{y + 12}" text-anchor="end">{rows:,} · {name}</text>'
            bar = f'<rect x="{LEFT}" y="{y}" width="{long:.0f}" height="{BAR}" fill="{COLORS[name]}"/>'
            bars.append(f'{text}{bar}<text x="{LEFT + long + 6:.0f}" y="{y + 12}">{cost.cpu:,.2f} s</text>')
            y += BAR + 4
        y += GAP
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" font-family="sans-serif" font-size="12" '
        f'fill="#57606a" role="img" aria-label="Processor time of lotlaw and its peers">\n'
        f'<rect width="{WIDTH}" height="{y}" fill="#fff"/>\n'
        f'<text x="8" y="18" font-size="13">Processor seconds by transactions (each step of ten is as long)</text>\n'
        + "\n".join(bars) + "\n</svg>\n"
    )  # fmt: skip
