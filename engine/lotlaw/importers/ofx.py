"""OFX and QFX downloads as CSV text: a row for each transaction of an investment account and each sale of a 1099-B.

The columns are called as OFX calls its elements. A row stands on the line where its transaction begins, unless several
begin on one line. The reader is ofxtools, an extra (`pip install 'lotlaw[ofx]'`).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from lotlaw.importers.problems import refused

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

STARTS = (b"OFXHEADER", b"<?OFX", b"<OFX>")
END = b"</OFX>"
HEAD = 1024
"""Bytes from the start of a file in which XML says that it is OFX."""
SALE = "PROCDET_V100"
COLUMNS = (
    "OFX", "ACCTID", "CURDEF", "FITID", "DTTRADE", "DTSETTLE", "UNIQUEID", "TICKER", "SECNAME", "SECTYPE", "UNITS",
    "UNITPRICE", "COMMISSION", "TAXES", "FEES", "LOAD", "TOTAL", "BUYTYPE", "SELLTYPE", "OPTBUYTYPE", "OPTSELLTYPE",
    "INCOMETYPE", "OPTACTION", "TFERACTION", "NUMERATOR", "DENOMINATOR", "DTPOSTED", "TRNAMT", "MEMO", "TAXYEAR",
    "DTAQD", "DTVAR", "DTSALE", "SALEDESCRIPTION", "NUMSHRS", "COSTBASIS", "SALESPR", "LONGSHORT", "FORM8949CODE",
    "ACCRUEDMKTDISCOUNT", "WASHSALELOSSDISALLOWED", "FEDTAXWH", "NONCOVEREDSECURITY", "LOSSNOTALLOWED", "BASISNOTSHOWN",
    "COLLECTIBLE",
)  # fmt: skip


def is_ofx(data: bytes) -> bool:
    """Whether a file begins like an OFX file."""
    start = data[:HEAD].lstrip(b"\xef\xbb\xbf \t\r\n")
    return start.startswith(STARTS) or (start.startswith(b"<?xml") and any(word in start for word in STARTS))


def table(name: str, data: bytes) -> bytes:
    """The transactions as CSV. Raises Problems."""
    rows = list(_rows(_root(name, data)))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    last = 1
    for row, line in zip(rows, _lines(data, rows), strict=True):
        out.write("\n" * (max(line, last + 1) - last - 1))
        last = max(line, last + 1)
        writer.writerow(" ".join(row.get(column, "").split()) for column in COLUMNS)
    return out.getvalue().encode()


def _root(name: str, data: bytes) -> Element:
    if not data.rstrip().endswith(END):
        raise refused(name, f"an OFX file that breaks off: it would end in {END.decode()}; download it again")
    try:
        from ofxtools.Parser import OFXTree
    except ImportError:
        raise refused(name, "an OFX file; to read it, run: pip install 'lotlaw[ofx]'") from None
    try:
        root: Element = OFXTree().parse(io.BytesIO(data))
    except (SyntaxError, ValueError, LookupError, TypeError, AttributeError) as error:
        reason = (str(error).splitlines() or ["no reason given"])[0].rstrip(":. ")
        raise refused(name, f"an OFX file that cannot be read: {reason}; download it again") from None
    return root


def _leaves(element: Element) -> dict[str, str]:
    """What an element's parts say; of two parts of one name the first, as the second is on something else."""
    from xml.sax.saxutils import unescape  # brings in a web client, which takes time

    leaves = [leaf for leaf in element.iter() if leaf.text and not len(leaf)]
    return {leaf.tag: unescape((leaf.text or "").strip()) for leaf in reversed(leaves)}


def _rows(root: Element) -> Iterator[Mapping[str, str]]:
    """What each transaction and each sale says, by the names of its elements."""
    securities = {
        said.get("UNIQUEID", ""): {"SECTYPE": info.tag, **said}
        for group in root.iter("SECLIST")
        for info in group
        for said in [_leaves(info)]
    }
    for statement in root.iter("INVSTMTRS"):
        about = {name: statement.findtext(f".//{name}") or "" for name in ("ACCTID", "CURDEF")}
        for transaction in (t for group in statement.iter("INVTRANLIST") for t in group if len(t)):
            said = _leaves(transaction)
            security = securities.get(said.get("UNIQUEID", ""), {})
            known = {name: security.get(name, "") for name in ("TICKER", "SECNAME", "SECTYPE")}
            yield {**known, **about, **said, "OFX": transaction.tag}
    for form in root.iter("TAX1099B_V100"):
        year = {"TAXYEAR": form.findtext(".//TAXYEAR") or ""}
        yield from ({**year, **_leaves(sale), "OFX": SALE} for sale in form.iter(SALE))


def _lines(data: bytes, rows: list[Mapping[str, str]]) -> Iterator[int]:
    """The line on which each row begins: where its element is opened, in the order of the file."""
    at = 0
    for row in rows:
        found = data.find(b"<" + row["OFX"].encode() + b">", at)
        at = found + 1 if found >= 0 else at
        yield data.count(b"\n", 0, at) + 1
