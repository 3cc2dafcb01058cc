"""When: text as a day, or as an instant that counts on its date in the taxpayer's zone.

Formats are tried in the order a mapping gives them; one without an hour is a day. `iso` is a date, or an instant with
or without offset; `epoch` counts seconds from 1970, `epoch_ms` thousandths, `excel_serial` days as Excel does; %Z is an
American abbreviation such as EST. An instant without offset stands in the mapping's zone; a mapping that names none
refuses it. Where clocks go back, the earlier of two readings counts; one that clocks leave out is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from lotlaw.source import Place, Problem, Problems

ISO = ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M%#z", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M")
EPOCH, EPOCH_MS, SERIAL = "epoch", "epoch_ms", "excel_serial"
MICROSECONDS = {EPOCH: 10**6, EPOCH_MS: 10**3, SERIAL: 24 * 3_600 * 10**6}
"""How many microseconds are one of what a number counts."""
OFFSETS = {
    "UTC": "+00:00", "GMT": "+00:00", "EST": "-05:00", "EDT": "-04:00", "CST": "-06:00", "CDT": "-05:00",
    "MST": "-07:00", "MDT": "-06:00", "PST": "-08:00", "PDT": "-07:00", "AKST": "-09:00", "AKDT": "-08:00",
    "HST": "-10:00",
}  # fmt: skip
FIRST_YEAR, LAST_YEAR = 1900, 2199


@dataclass(frozen=True)
class Clock:
    """A mapping's time formats and zone, and the zone whose date counts."""

    formats: tuple[str, ...]
    zone: str | None
    home: str


def clock(formats: tuple[str, ...], zone: str | None, home: str) -> Clock:
    """A clock; `iso` is written out. Raises Problems for a zone that is none."""
    for name in filter(None, (zone, home)):
        try:
            pl.select(pl.lit(0).cast(pl.Datetime("us", "UTC")).dt.convert_time_zone(name))
        except pl.exceptions.PolarsError:
            message = f"'{name}' is no time zone; write one like America/New_York"
            raise Problems([Problem(Place("time zone"), message)]) from None
    written = [f for given in formats for f in (ISO if given == "iso" else (given,))]
    return Clock(tuple(written), zone, home)


def when(text: pl.Series, clock: Clock) -> tuple[pl.Series, pl.Series | None]:
    """The date of each cell, empty where it is none, and the instants in UTC if any cell has one."""
    frame = pl.DataFrame({"text": text})
    days = pl.repeat(None, len(text), dtype=pl.Date, eager=True)
    instants: pl.Series | None = None
    for form in clock.formats:
        if days.null_count() <= text.null_count():
            break
        found, instant = (frame.with_columns(e.alias("read"))["read"] for e in _parsed(pl.col("text"), form, clock))
        if _hours(form) and found.null_count() < len(text):
            instants = instant if instants is None else _first(instants, instant, days)
        days = found if days.null_count() == len(days) else days.zip_with(days.is_not_null(), found)
    days = _plausible(days)
    return days.rename("date"), None if instants is None else instants.rename("timestamp")


def _plausible(days: pl.Series) -> pl.Series:
    """The dates whose year makes sense; 0205 is a slip, not a year."""
    plausible = days.is_between(date(FIRST_YEAR, 1, 1), date(LAST_YEAR, 12, 31)).fill_null(value=True)
    return days if plausible.all() else days.set(~plausible, None)


def _first(instants: pl.Series, more: pl.Series, days: pl.Series) -> pl.Series:
    """The instants so far, and more where there is no date yet."""
    return instants.zip_with(days.is_not_null(), more)


def day(text: pl.Expr, clock: Clock) -> pl.Expr:
    """The date of a cell as ISO text, empty where it is none."""
    return pl.coalesce(_parsed(text, form, clock)[0] for form in clock.formats).dt.to_string("%Y-%m-%d")


def _hours(form: str) -> bool:
    return "%H" in form or "%I" in form or form in MICROSECONDS


def _parsed(text: pl.Expr, form: str, clock: Clock) -> tuple[pl.Expr, pl.Expr]:
    """The date and the instant of a cell in one format."""
    none = pl.lit(None, dtype=pl.Datetime("us", "UTC"))
    if not _hours(form):
        return text.str.to_date(form, strict=False), none
    cell = text.str.replace(r"^(\d{4}-\d\d-\d\d) ", "${1}T") if form in ISO else text
    if form in (EPOCH, EPOCH_MS):
        instant = _counted(cell, form).dt.replace_time_zone("UTC")
    elif "Z" in form:
        instant = _abbreviated(cell).str.to_datetime(
            form.replace("%Z", "%z"), time_unit="us", time_zone="UTC", strict=False
        )
    elif "z" in form:
        instant = cell.str.to_datetime(form, time_unit="us", time_zone="UTC", strict=False)
    elif clock.zone is None:
        return pl.lit(None, dtype=pl.Date), none
    else:
        naive = _counted(cell, form) if form == SERIAL else cell.str.to_datetime(form, time_unit="us", strict=False)
        local = naive.dt.replace_time_zone(clock.zone, ambiguous="earliest", non_existent="null")
        instant = local.dt.convert_time_zone("UTC")
    return instant.dt.convert_time_zone(clock.home).dt.date(), instant


def _counted(cell: pl.Expr, form: str) -> pl.Expr:
    """What a number counts: microseconds from its first day, as a datetime without zone."""
    number = cell.str.extract(r"^(\d{1,13}(?:\.\d+)?)$").cast(pl.Decimal(38, 18), strict=False)
    first = datetime(1899, 12, 30) if form == SERIAL else datetime(1970, 1, 1)  # noqa: DTZ001
    counted = (number * MICROSECONDS[form]).round(0, mode="half_away_from_zero").cast(pl.Int64, strict=False)
    return pl.lit(first).cast(pl.Datetime("us")) + counted.cast(pl.Duration("us"))


def _abbreviated(cell: pl.Expr) -> pl.Expr:
    """A cell with the offset that an abbreviation at its end stands for."""
    name = cell.str.extract(r"([A-Z]{3,4})$")
    offset = name.replace_strict(OFFSETS, default=None, return_dtype=pl.String)
    return pl.concat_str(cell.str.replace(r"[A-Z]{3,4}$", ""), offset)
