"""`lotlaw rules docs`: a site that a validator accepts, whose links lead somewhere, and that asks for no network."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import shutil
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from html5lib import HTMLParser as Validator

from conftest import ROOT, Asked
from lotlaw.audit.book import write_book
from lotlaw.audit.book.pages import pages as book_pages
from lotlaw.rules import forget, load
from lotlaw.source import data_root

YEAR = 2025
FORMS = load(YEAR).forms


class Page(HTMLParser):
    """The ids of a page, its links, and what it loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loads: list[str] = []
        self.labels: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        self.labels.append((tag, said))
        if "id" in said:
            self.ids.append(said["id"] or "")
        if tag == "a" and "href" in said:
            self.links.append(said["href"] or "")
        self.loads += [value or "" for name, value in attrs if name == "src" or (tag == "link" and name == "href")]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rulebook of a year."""
    folder = tmp_path_factory.mktemp("book") / "site"
    with contextlib.chdir(ROOT):
        forget()  # a test that worked in another folder has left places as seen from there
        write_book(YEAR, folder)
    return folder


@cache
def page(path: Path) -> Page:
    return Page(path.read_text(encoding="utf-8"))


def pages(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.html"))


def test_there_is_a_page_for_each_form_and_more(book: Path) -> None:
    others = ("index", "parameters", "form_8949", "dispositions", "returns", "sources", "graph", "blanks", "imports")
    assert {path.name for path in pages(book)} == {f"{name}.html" for name in (*FORMS, *others)}


def test_a_validator_finds_no_mistake(book: Path) -> None:
    for path in pages(book):
        assert [f"{path.name}:{at}: {said}" for at, said in mistakes(path.read_text(encoding="utf-8"))] == []


def test_the_validator_finds_mistakes() -> None:
    said = [said for _, said in mistakes("<!DOCTYPE html><title>x</title><p><b>bold</p>")]
    assert said == ["unexpected-end-tag"]


def mistakes(text: str) -> list[tuple[tuple[int, int], str]]:
    """Where a page departs from the standard, and how."""
    validator = Validator()
    validator.parse(text)
    return [(at, said) for at, said, _ in validator.errors]


def test_every_link_leads_somewhere(book: Path) -> None:
    for path in pages(book):
        assert len(set(page(path).ids)) == len(page(path).ids), path.name
        for link in page(path).links:
            parts = urlsplit(link)
            if parts.scheme:
                assert parts.scheme == "https", link
                continue
            target = book / parts.path if parts.path else path
            assert target.is_file(), f"{path.name}: {link}"
            assert not parts.fragment or parts.fragment in page(target).ids, f"{path.name}: {link}"


def test_nothing_comes_from_a_network(book: Path) -> None:
    for path in pages(book):
        assert set(page(path).loads) == {"book.css", "book.js", "lines.js"}
    assert not re.search(r"https?:|@import|url\(", (book / "book.css").read_text())
    assert not re.search(r"https?:|fetch|XMLHttp|import", (book / "book.js").read_text())


def test_every_line_says_what_it_is_in_words_with_its_law_and_its_readers(book: Path) -> None:
    text = " ".join(page(book / "schedule_d.html").text.split())
    said = "Allowed loss, the smaller of the loss on line 16 and the cap the smaller of line 16 with its sign changed"
    assert (
        f"{said} and the capital loss cap min(-line16, capital_loss_cap) Only if line 16 is below 0; otherwise blank"
        in text
    )
    found = re.search(r"§1211\(b\).{,200}", text)
    assert re.search(r"26 USC \(Internal Revenue Code\), §1211\(b\); \S*rules/2025/schedule_d\.yaml:\d", text), found
    assert "the total of Form 8949, box A, box G" in text
    assert {"form_8949.html#boxes-A", "form_8949.html#boxes-G"} <= set(page(book / "schedule_d.html").links)
    assert "Read by Form 1040, line 7, Capital Loss Carryover Worksheet, line 2" in text
    for form in FORMS.values():
        ids = page(book / f"{form.name}.html").ids
        assert [f"line-{id_}" for id_ in form.lines] == [id_ for id_ in ids if id_.startswith("line-")]


def test_history_and_examples_are_shown(book: Path) -> None:
    text = " ".join(page(book / "schedule_d.html").text.split())
    assert "2018 to 2024 Form 8949 with box A checked: total of Form 8949: boxes A 2025 to 2026 Form 8949 with" in text
    assert (
        "Carryovers alone need the form worked out from the law; rules/2025/schedule_d.yaml:125 Filing statusSingle "
        "Short-term loss carried over from last year4,000 Line 64,000" in text
    )
    pinned = " ".join(page(book / "loss_carryover.html").text.split())
    assert "A loss below the cap that was all used leaves the worksheet out worked out from the law" in pinned
    whole = " ".join(page(book / "returns.html").text.split())
    assert (
        "Capital gain distributions without Schedule D worked out from the law; rules/2025/examples.yaml:255 "
        "Filing statusSingle Wages60,000" in whole
    )
    assert "Schedule D, line 16blank" in whole
    numbers = " ".join(page(book / "parameters.html").text.split())
    assert "From 2024From 2025" in numbers
    assert "41,67544,62547,02548,350" in numbers
    assert "Rev. Proc. 2024-40 (2025 adjusted items), §2.03Rev. Proc. 2025-32" in numbers
    boxes = " ".join(page(book / "form_8949.html").text.split())
    assert "Box I 2018 to 2024 not there 2025 to 2026 Short-term digital assets" in boxes


def test_every_page_says_its_year_its_status_its_file_and_its_line(book: Path) -> None:
    for path in pages(book):
        text = " ".join(page(path).text.split())
        assert f"tax year {YEAR} (published)" in text
        said = rf"Tax year {YEAR} Status (published|every year) Rules (rules|forms)/"
        assert re.search(said, text) or path.name == "index.html", path.name
        assert re.search(r"(rules|forms)/\S+\.yaml", text) or path.name == "blanks.html", path.name


def test_tables_of_rules_are_told_in_words(book: Path) -> None:
    text = " ".join(page(book / "dispositions.html").text.split())
    assert "Long-term if sold from the same day as (the day after the day it was acquired), but 1 year later" in text
    assert (
        "Gift received gift_in Opens a lot of what is received Basis the donor's basis plus the gift tax that counts "
        "donor_basis + gift_tax Basis for a loss, where that is less fair value fair_value" in text
    )
    assert re.search(r"§1015\(a\), \(d\) and \(e\).{,40}; rules/2018/dispositions\.yaml:\d", text)
    assert "2024-06-172025-06-17short-termfrom the IRS: Publication 54415" in text


@pytest.mark.parametrize("year", [2018, 2026])
def test_no_name_of_a_rule_file_stands_for_words(year: int) -> None:
    for name, text in book_pages(load(year)):
        if name.endswith(".html") and name not in ("blanks.html", "imports.html"):
            told = re.sub(r"<code.*?</code>|<[^>]*>|rules/\d+/\w+\.yaml|https\S+", " ", text, flags=re.DOTALL)
            assert re.findall(r"\b[a-z]+_\w+|\b[a-z]+\.[a-z]+\.\w+", told) == [], name


def test_blank_forms_and_exports_have_their_pages(book: Path) -> None:
    blanks = " ".join(page(book / "blanks.html").text.split())
    assert re.search(r"Part I, row 11 ?\(a\) f1_83, .*?Part II, box L ?c2_1\[5\]", blanks)
    assert re.search(r"Line 16: Combine lines 7 and 15 ?f2_1 ?27", blanks)
    exports = " ".join(page(book / "imports.html").text.split())
    assert "Recognised by transaction_hash, label, value, timestamp; or oc_transaction_hash" in exports
    assert re.search(r"Kraken, \"Ledgers\" export kraken\.ledgers Recognised by txid, refid, .*?Exchange of", exports)
    files = {path.stem for path in (ROOT / "rules" / "sources").glob("*.yaml")}
    assert files <= set(re.findall(r"sources/(\w+)", exports))
    assert "Stablecoin stablecoinUSDC, USDT" in exports


def test_claims_name_lines_of_other_forms_and_their_rounding(book: Path) -> None:
    text = " ".join(page(book / "schedule_d.html").text.split())
    assert "the sum of Capital Loss Carryover Worksheet line 4, Capital Loss Carryover Worksheet line 8 and" in text
    assert "line 16 is at most tax on line 15 plus the rounding" in " ".join(page(book / "form_1040.html").text.split())
    assert "loss_carryover.html#line-8" in page(book / "schedule_d.html").links


def test_headings_are_in_order(book: Path) -> None:
    for path in pages(book):
        levels = [int(tag[1]) for tag, _ in page(path).labels if re.fullmatch(r"h\d", tag)]
        assert levels[0] == 1
        assert all(after <= before + 1 for before, after in itertools.pairwise(levels)), path.name


def test_the_search_looks_through_every_line_and_number(book: Path) -> None:
    said = (book / "lines.js").read_text(encoding="utf-8").partition("const LINES = ")[2].removesuffix(";\n")
    entries = json.loads(said)
    targets = {entry[2] for entry in entries}
    assert {f"{form.name}.html#line-{id_}" for form in FORMS.values() for id_ in form.lines} <= targets
    assert {f"parameters.html#{name}" for name in load(YEAR).parameters} <= targets
    assert {"dispositions.html#kinds-gift_in", "form_8949.html#boxes-I", "form_8949.html#codes-W"} <= targets
    assert all(target.partition("#")[2] in {"", *page(book / target.partition("#")[0]).ids} for target in targets)


def test_it_can_be_used_with_a_keyboard_and_a_screen_reader(book: Path) -> None:
    for path in pages(book):
        tags = page(path).labels
        assert next(said["href"] for tag, said in tags if tag == "a") == "#main"
        assert sum(tag == "h1" for tag, _ in tags) == 1
        assert ("html", {"lang": "en"}) in tags
        assert any(said.get("name") == "viewport" for _, said in tags)
        for tag, said in tags:
            if tag == "input":
                assert ("label", {"for": said["id"]}) in tags
            if said.get("class") in ("wide", "drawing"):
                assert (said["tabindex"], bool(said["aria-label"])) == ("0", True)


def test_a_draft_says_so_line_and_page(tmp_path: Path) -> None:
    write_book(2026, tmp_path / "draft")
    text = " ".join(page(tmp_path / "draft" / "schedule_d.html").text.split())
    assert "as in 2025; nobody has compared it with this year's form: the 2026 form is not published" in text
    assert "The 2026 Form 8960 has not been seen" in page(tmp_path / "draft" / "index.html").text


def test_words_of_a_rule_file_are_only_words(tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    shutil.copytree(data_root() / "rules", rules)
    path = rules / "2026" / "parameters.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace("label: Most net capital loss", 'label: </script><b onclick="x">Most net capital loss')
    )
    mapping = rules / "sources" / "kraken_trades.yaml"
    mapping.write_text(mapping.read_text(encoding="utf-8").replace("title: Kraken", "title: <b onclick=x>Kraken"))
    forget()
    write_book(2026, tmp_path / "site", rules)
    changed = " ".join(page(tmp_path / "site" / "imports.html").text.split())
    assert re.search(r"<b onclick=x>Kraken, .{,400}? Unchanged since it was checked no ", changed)
    for name in ("parameters.html", "lines.js", "imports.html"):
        said = (tmp_path / "site" / name).read_text(encoding="utf-8")
        assert "<b onclick" not in said
        assert "</script><b" not in said
    forget()


def test_it_is_written_twice_the_same_and_over_nobody(tmp_path: Path, ask: Asked) -> None:
    assert ask("rules", "docs", YEAR, "--out", "site").text == "wrote 22 files; open site/index.html\n"
    first = {path.name: path.read_bytes() for path in (tmp_path / "site").iterdir()}
    assert ask("rules", "docs", YEAR, "--out", "site").code == 0
    assert {path.name: path.read_bytes() for path in (tmp_path / "site").iterdir()} == first
    assert {oct(path.stat().st_mode & 0o777) for path in (tmp_path / "site").iterdir()} == {"0o600"}
    (tmp_path / "site" / "mine.txt").write_text("mine")
    refused = ask("rules", "docs", YEAR, "--out", "site")
    said = "site: holds mine.txt, which lotlaw did not write; name another folder, or add --force to write beside it\n"
    assert (refused.code, refused.error) == (2, said)
    assert ask("rules", "docs", YEAR, "--out", "site", "--force").code == 0
    assert (tmp_path / "site" / "mine.txt").read_text() == "mine"
