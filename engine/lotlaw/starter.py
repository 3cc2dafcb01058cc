"""Files to begin with: the demo's exports, and a starter taxpayer.yaml and ledger.csv."""

from __future__ import annotations

from pathlib import Path

from lotlaw.source import refuse

DEMO = Path(__file__).resolve().parent / "demo"

STARTER = {"taxpayer.yaml": "starter.yaml", "ledger.csv": "ledger.csv"}


def demo_files() -> tuple[int, list[Path], Path]:
    """The demo's tax year, the names of its exports in `DEMO`, and its taxpayer file."""
    exports = [Path("coinbase.csv"), Path("schwab.csv")]
    return int((DEMO / "year").read_text()), exports, DEMO / "taxpayer.yaml"


def write_starter(folder: Path) -> list[Path]:
    """Write the two starter files where there are none. Raises Problems if one is there or can't be written."""
    for name in STARTER:
        if (folder / name).exists():
            raise refuse(folder / name, "is here already; nothing was written")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, model in STARTER.items():
            path = folder / name
            path.touch(mode=0o600, exist_ok=False)
            path.write_bytes((DEMO / model).read_bytes())
    except FileExistsError:
        raise refuse(folder, "is a file; name a folder, or nothing for this one") from None
    except OSError as error:
        raise refuse(folder, f"cannot be written: {error.strerror}") from None
    return [folder / name for name in STARTER]
