"""lotlaw beside other programs that book lots, at the same ledgers: a fifth of all lots stay open.

What each does is not the same, and the page says so: lotlaw files a return with all its forms; coinbasis and rp2 match
lots and know the term; beancount books a ledger. Their totals have to agree to the cent: else there is no comparison.
"""

from __future__ import annotations

import functools
import json
import os
import random
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
LONG = 60
"""Seconds: what has taken longer is not run again for a median."""
PATIENCE = 240
"""Seconds that a program may take; one that would not finish even if time grew no faster than rows is not begun."""
YEAR = 2025

Took = dict[int, dict[str, Cost | None]]
"""By transactions and program, what it took; None for one that does not finish in time."""


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
    """What each program takes by number of transactions."""
    if not PEERS.exists():
        print(f"no peers: {PEERS} is not there (make bench sets it up)", file=sys.stderr)
        return {}
    took: Took = {}
    for rows in sizes:
        ledger = fifth_open(folder / f"fifth-{rows}.csv", rows)
        own = lotlaw(ledger)
        own()
        gain = _own_gain(folder)
        programs = {OWN: own} | {name: functools.partial(_peer, name, ledger, gain) for name in NAMES}
        before = took.get(rows // 10, {})
        left = [name for name in programs if not before or _may_finish(before[name])]
        costs: dict[str, list[Cost]] = {name: [] for name in left}
        for _ in range(runs if rows < ONCE else 1):
            for name in [name for name in left if not costs[name] or costs[name][0].wall < LONG]:
                print(f"  {rows:,} {name} ...", file=sys.stderr, flush=True)
                costs[name] += _within(programs[name])
        took[rows] = {name: typical(costs[name]) if costs.get(name) else None for name in programs}
    return took


def _may_finish(before: Cost | None) -> bool:
    """Whether a program may finish ten times the rows in time, by what it took for a tenth of them."""
    return before is not None and before.wall * 10 < PATIENCE


def _within(program: Callable[[], Cost]) -> list[Cost]:
    try:
        return [program()]
    except TimeoutError:
        return []


def _own_gain(folder: Path) -> Decimal:
    form = json.loads((folder / "out" / "return.json").read_text(encoding="utf-8"))["form_8949"]
    return sum((Decimal(box["totals"]["h"]) for box in form), Decimal(0))


def _peer(name: str, ledger: Path, gain: Decimal) -> Cost:
    """A run of a peer; ends everything if it comes to another gain. Raises TimeoutError."""
    said, command = ledger.with_suffix(".json"), [str(PEERS), str(HERE / "peers.py"), name, str(ledger)]
    cost = once(command, folder=ledger.parent, says=said, limit=PATIENCE)
    theirs = Decimal(json.loads(said.read_text(encoding="utf-8"))["gain"])
    if theirs != gain:
        sys.exit(f"{name} comes to a gain of {theirs}, lotlaw to {gain}")
    return cost


# The page


def table(took: Took) -> str:
    """Processor time by the clock's side, and memory, of each program at each size."""
    lines = [["transactions", "program", "all cores", "times lotlaw", "clock", "peak memory"], ["---"] * 6]
    for rows, costs in took.items():
        for name, cost in costs.items():
            lines.append([f"{rows:,}", name, *(_figures(cost, costs[OWN]) if cost else [LATE, "", "", ""])])
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


LATE = f"more than {PATIENCE} s"


def _figures(cost: Cost, own: Cost | None) -> list[str]:
    times = f"{cost.cpu / own.cpu:,.1f}" if own else ""
    return [f"{cost.cpu:,.2f} s", times, f"{cost.wall:,.2f} s", f"{cost.peak / 1e6:,.0f} MB"]


WIDTH, BAR, GAP, LEFT, SCALE = 760, 16, 14, 190, 110
COLORS = {OWN: "#1a7f37", "coinbasis": "#8c959f", "beancount": "#afb8c1", "rp2": "#6e7781"}


def picture(took: Took) -> str:
    """Processor time as bars, each step of ten as long as the one before."""
    from math import log10

    bars, y = [], 34
    for rows, costs in took.items():
        for name, cost in ((name, cost) for name, cost in costs.items() if cost):
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
