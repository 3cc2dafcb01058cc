"""Sheets of an official form as a PDF: fields that can still be changed, or everything as part of the page.

All sheets of a form share what its blank draws: flattened, a sheet is that drawing and a little text over it. Nothing
depends on the day or the machine, and nothing is left of the blank's XFA form, its scripts or its signature.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import polars as pl
from pypdf import PdfWriter
from pypdf.generic import (
    ArrayObject,
    DictionaryObject,
    FloatObject,
    NameObject,
    NumberObject,
    PdfObject,
    StreamObject,
    TextStringObject,
)

from lotlaw.rendering.pdf.contents import Contents
from lotlaw.rendering.pdf.fitting import drawn, escape
from lotlaw.rendering.pdf.paper import CHECKED_OFF, Paper

OWN = ("/FT", "/Ff", "/F", "/Q", "/DA", "/MK", "/MaxLen", "/TU", "/Rect")
"""What of a blank's field is kept in each of its copies."""
STANDARD = {"/HelveticaLTStd-Bold": "/Helvetica-Bold"}
"""Fonts of forms that no form brings with it, and those of the same letters that every viewer has."""
VERSION = "%PDF-1.7"
MILLI = 10**3
STAMP = "8 Tf 10 TL 0.8 0 0 rg 36 774 Td"
"""How and where something stands above the form."""


class Pdf:
    """A document being made: objects, pages, and what it says of itself."""

    def __init__(self, title: str, producer: str, subject: str) -> None:
        self.writer = PdfWriter()
        self.writer.pdf_header = VERSION
        self.writer.add_metadata({"/Title": title, "/Producer": producer, "/Subject": subject})
        self.writer.root_object[NameObject("/Lang")] = TextStringObject("en-US")
        self.pages = cast("Any", self.writer.root_object["/Pages"])
        self.kids = self.pages["/Kids"]

    def add(self, made: PdfObject) -> PdfObject:
        """Make an object one that others refer to; gives the reference."""
        added: PdfObject = self.writer._add_object(made)  # noqa: SLF001 (as pypdf's own documentation adds objects)
        return added

    def stream(self, data: bytes, **entries: PdfObject) -> PdfObject:
        """A stream of data, packed."""
        made = StreamObject()
        made.set_data(data)
        packed = made.flate_encode()
        packed.update(named(**entries))
        return self.add(packed)

    def drawing(self, data: bytes, size: PdfObject, resources: PdfObject) -> PdfObject:
        """A stream that draws, to be used in other places."""
        kind = {"Type": NameObject("/XObject"), "Subtype": NameObject("/Form")}
        return self.stream(data, **kind, BBox=size, Resources=resources)

    def page(self, size: PdfObject, content: PdfObject, resources: PdfObject) -> DictionaryObject:
        """A page at the end of the document."""
        parent = self.writer.root_object.raw_get("/Pages")
        made = named(Type=NameObject("/Page"), Parent=parent, MediaBox=size, Resources=resources, Contents=content)
        self.kids.append(self.add(made))
        return made

    def form(self, fields: Iterable[PdfObject], blank: Paper) -> None:
        """The form that the document is, of fields without parents."""
        said = blank.form
        made = named(
            Fields=ArrayObject(fields), DR=said.raw_get("/DR").clone(self.writer), DA=TextStringObject(said["/DA"])
        )
        self.writer.root_object[NameObject("/AcroForm")] = self.add(made)

    def data(self) -> bytes:
        """The document."""
        self.pages[NameObject("/Count")] = NumberObject(len(self.kids))
        file = io.BytesIO()
        self.writer.write(file)
        return file.getvalue()


def named(**entries: PdfObject) -> DictionaryObject:
    """A dictionary by names without their slashes."""
    return DictionaryObject({NameObject(f"/{name}"): value for name, value in entries.items()})


def box(width: int, height: int) -> ArrayObject:
    """A rectangle from the corner on, from lengths in thousandths of a point."""
    return ArrayObject([NumberObject(0), NumberObject(0), length(width), length(height)])


def length(thousandths: int) -> FloatObject:
    """Thousandths of a point as points."""
    return FloatObject(f"{thousandths // MILLI}.{thousandths % MILLI:03}")


def stamp(lines: Iterable[str], paper: Paper) -> str:
    """What draws some lines above the form."""
    said = "".join(f"({''.join(map(escape, line))}) Tj T*\n" for line in lines)
    return f"q BT {paper.look.font} {STAMP}\n{said}ET Q\n" if said else ""


@dataclass
class Sheets:
    """The sheets of one form in a document: `stamp` is drawn on each of them above the form."""

    pdf: Pdf
    paper: Paper
    stamp: str = ""
    shared: dict[Any, Any] = field(default_factory=dict)

    def flat(self, contents: Contents) -> None:
        """Add the sheets with all that they show as part of the page."""
        fields = self.paper.fields
        checks = {name: f"/Check{n}" for n, name in enumerate(sorted({name for _, name in contents.checks}))}
        resources = self._flat_resources(checks)
        corners = {row["field"]: (row["left"], row["bottom"]) for row in fields.iter_rows(named=True)}
        texts = drawn(contents.cells, self.paper).group_by("sheet", maintain_order=True)
        by_sheet = {int(str(sheet)): _placed(cells) for (sheet,), cells in texts}
        marks = [f"q 1 0 0 1 {_point(corners[name])} cm {checks[name]} Do Q\n" for _, name in contents.checks]
        checked: dict[int, str] = {}
        for (sheet, _), mark in zip(contents.checks, marks, strict=True):
            checked[sheet] = checked.get(sheet, "") + mark
        for sheet, page in enumerate(contents.pages):
            text = f"q\n/Blank{page} Do\n{self.paper.look.colour}\n{by_sheet.get(sheet, '')}{checked.get(sheet, '')}Q\n"
            content = self.pdf.stream(f"{text}{self.stamp}".encode("ascii"))
            self.pdf.page(self._size(page), content, resources)

    def _size(self, page: int) -> PdfObject:
        return ArrayObject(FloatObject(edge) for edge in self.paper.reader.pages[page].mediabox)

    def _flat_resources(self, checks: Mapping[str, str]) -> PdfObject:
        drawings = DictionaryObject()
        for number, page in enumerate(self.paper.reader.pages):
            needs = page["/Resources"].clone(self.pdf.writer)
            made = self.pdf.drawing(self._drawing(number), self._size(number), needs)
            drawings[NameObject(f"/Blank{number}")] = made
        for name, called in checks.items():
            state = self.paper.widgets[name]["/AP"]["/N"].raw_get(self.paper.checked(name))
            drawings[NameObject(called)] = state.clone(self.pdf.writer)
        return self.pdf.add(named(XObject=drawings, Font=self._font()))

    def _drawing(self, number: int) -> bytes:
        contents = self.paper.reader.pages[number].get_contents()
        return b"" if contents is None else contents.get_data()

    def _font(self) -> PdfObject:
        """The form's font by its name there, under the name that every viewer knows it by."""
        if "font" not in self.shared:
            name = self.paper.look.font
            font: Any = self.paper.form["/DR"]["/Font"][name].clone(self.pdf.writer, ignore_fields=["/FontDescriptor"])
            font[NameObject("/BaseFont")] = NameObject(STANDARD.get(font["/BaseFont"], font["/BaseFont"]))
            self.shared["font"] = named(**{name[1:]: self.pdf.add(font)})
        found: PdfObject = self.shared["font"]
        return found

    def fillable(self, contents: Contents) -> None:
        """Add the sheets with fields that can still be changed, each showing what it holds."""
        made = drawn(contents.cells, self.paper)
        by_sheet = {int(str(s)): cells.to_dicts() for (s,), cells in made.group_by("sheet", maintain_order=True)}
        copies: Counter[int] = Counter()
        roots = []
        for sheet, page in enumerate(contents.pages):
            checked = {field for at, field in contents.checks if at == sheet}
            roots.append(self._sheet(page, copies[page], by_sheet.get(sheet, []), checked))
            copies[page] += 1
        self.pdf.form(roots, self.paper)

    def _sheet(self, page: int, copy: int, cells: Sequence[Mapping[str, Any]], checked: set[str]) -> PdfObject:
        """One page with its fields; gives the outermost of them."""
        content, resources = self._page(page)
        made = self.pdf.page(self._size(page), content, resources)
        here = self.paper.fields.filter(pl.col("page") == page)["field"]
        shown = {cell["field"]: cell for cell in cells}
        widgets = {name: self._widget(name, shown.get(name), checked=name in checked) for name in here}
        for widget in widgets.values():
            widget[NameObject("/P")] = self.pdf.kids[-1]
        refs = {name: self.pdf.add(widget) for name, widget in widgets.items()}
        made[NameObject("/Annots")] = ArrayObject(refs.values())
        return self._tree({name: self.paper.path(name) for name in here}, widgets, refs, copy)

    def _page(self, page: int) -> tuple[PdfObject, PdfObject]:
        """What a page of the blank draws and needs for it, which all its copies share."""
        if ("page", page) not in self.shared:
            drawing = b"q\n" + self._drawing(page) + b"\nQ\n" + self.stamp.encode("ascii")
            resources: Any = self.paper.reader.pages[page]["/Resources"].clone(self.pdf.writer)
            resources["/Font"].update(self._font())
            self.shared["page", page] = self.pdf.stream(drawing), self.pdf.add(resources)
        found: tuple[PdfObject, PdfObject] = self.shared["page", page]
        return found

    def _widget(self, name: str, cell: Mapping[str, Any] | None, *, checked: bool) -> DictionaryObject:
        blank = self.paper.widgets[name]
        made = named(Type=NameObject("/Annot"), Subtype=NameObject("/Widget"))
        made.update({NameObject(key): blank.raw_get(key).clone(self.pdf.writer) for key in OWN if key in blank})
        made[NameObject("/T")] = TextStringObject(blank["/T"])
        if "/AP" in blank:
            state = NameObject(self.paper.checked(name) if checked else CHECKED_OFF)
            if name not in self.shared:
                self.shared[name] = self.pdf.add(blank.raw_get("/AP").clone(self.pdf.writer))
            made.update(named(AP=self.shared[name], AS=state, V=state))
        elif cell:
            size = f"{cell['size'] // 10}.{cell['size'] % 10}"
            made.update(
                named(
                    V=TextStringObject(cell["text"]), AP=named(N=self._appearance(name, cell["draws"])),
                    DA=TextStringObject(f"{self.paper.look.font} {size} Tf {self.paper.look.colour}"),
                )
            )  # fmt: skip
        return made

    def _appearance(self, name: str, draws: str) -> PdfObject:
        """What a field shows, from its own corner on."""
        if "boxes" not in self.shared:
            self.shared["needs"] = self.pdf.add(named(Font=self._font()))
            rows = self.paper.fields.select("field", "width", "height").iter_rows()
            self.shared["boxes"] = {name: (width, height) for name, width, height in rows}
        data = f"/Tx BMC\nq\n{self.paper.look.colour}\n{draws}Q\nEMC\n".encode("ascii")
        return self.pdf.drawing(data, box(*self.shared["boxes"][name]), self.shared["needs"])

    def _tree(
        self, paths: Mapping[str, tuple[str, ...]], widgets: Mapping[str, DictionaryObject],
        refs: Mapping[str, PdfObject], copy: int,
    ) -> PdfObject:  # fmt: skip
        """The fields under the names that the blank has them by; the copies differ in the number of the outermost."""
        nodes: dict[tuple[str, ...], tuple[PdfObject, Any]] = {}

        def node(path: tuple[str, ...]) -> tuple[PdfObject, Any]:
            if path not in nodes:
                called = path[-1] if path[1:] else path[0].replace("[0]", f"[{copy}]")
                made = named(T=TextStringObject(called), Kids=ArrayObject())
                nodes[path] = self.pdf.add(made), made
                if path[1:]:
                    above, parent = node(path[:-1])
                    made[NameObject("/Parent")] = above
                    parent["/Kids"].append(nodes[path][0])
            return nodes[path]

        for name, path in paths.items():
            above, parent = node(path[:-1])
            widgets[name][NameObject("/Parent")] = above
            parent["/Kids"].append(refs[name])
        return next(iter(nodes.values()))[0]


def _placed(cells: pl.DataFrame) -> str:
    """What draws the cells of a sheet, each from the corner of its field on."""
    corner = (pl.lit("q 1 0 0 1 "), _thousandths("left"), pl.lit(" "), _thousandths("bottom"), pl.lit(" cm\n"))
    return "".join(cells.select(pl.concat_str(*corner, "draws", pl.lit("Q\n"))).to_series())


def _thousandths(name: str) -> pl.Expr:
    return pl.concat_str(pl.col(name) // MILLI, pl.lit("."), (pl.col(name) % MILLI).cast(pl.String).str.zfill(3))


def _point(corner: tuple[int, int]) -> str:
    return " ".join(f"{edge // MILLI}.{edge % MILLI:03}" for edge in corner)
