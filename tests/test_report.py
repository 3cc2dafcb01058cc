"""report.html: what stands in it, that nothing of a file's runs in it, and how it works in a real browser."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import html5lib
import pypdf
import pytest
import yaml
from made_return import ACME, BTC, EVIL, HARM, OLD, ROWS, SSN, made_return

from lotlaw.explain.amounts import amount
from lotlaw.output import write
from lotlaw.report import report_html
from lotlaw.report.picture import WIDE, picture
from lotlaw.report.tasks import tasks
from lotlaw.run import Return
from lotlaw.starter import DEMO, demo_files


def page(return_: Return) -> str:
    return "".join(report_html(return_))


def tree(text: str) -> Any:
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)


def data_of(text: str) -> dict[str, Any]:
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)[1])


def column(table: dict[str, Any], name: str) -> list[Any]:
    said = table["columns"][name]
    return [said["texts"][n] for n in said["of"]] if isinstance(said, dict) else said


@pytest.fixture(scope="module")
def made() -> Return:
    return made_return()


@pytest.fixture(scope="module")
def text(made: Return) -> str:
    return page(made)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the demo, as the command writes it."""
    from lotlaw.filing import file_years

    year, exports, taxpayer = demo_files()
    out = tmp_path_factory.mktemp("demo") / "return"
    with contextlib.chdir(DEMO):
        file_years([year], exports, taxpayer, out=out, formats=["html"])
    return out / "report.html"


# What stands in it


@pytest.mark.parametrize("year", [2018, 2021, 2026])
def test_it_is_proper_html_whose_links_lead_somewhere(year: int) -> None:
    rows = [row for row in ROWS if row[0] != "I"]
    document = tree(page(made_return(year, rows, planning_only=year == 2021, cents=year == 2026)))
    ids = [element.get("id") for element in document.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    links = {element.get("href") for element in document.iter("a")}
    assert {link for link in links if link[1:] not in ids} <= {f"#sale-{n}" for n in range(len(rows))}
    assert {f"#sale-{n}" for n in range(len(rows))} <= links


def test_every_amount_of_every_form_is_explained(made: Return, text: str) -> None:
    document = tree(text)
    reasons = {e.get("id"): e for e in document.iter("section") if (e.get("id") or "").startswith("why-")}
    for form, answers in made.lines.items():
        for line, answer in answers.items():
            reason = reasons[f"why-{form}-{line}"]
            assert reason.find("p/b").text == amount(answer)
            place = made.year.forms[form].lines[line].place
            assert "".join(reason.findall("p")[-1].itertext()).endswith(f"{Path(place.file).name}:{place.line}")


def test_a_line_says_its_rule_in_words_with_what_went_in_and_the_law(text: str) -> None:
    reasons = {e.get("id"): e for e in tree(text).iter("section")}
    told = " ".join("".join(reasons["why-schedule_d-21"].itertext()).split())
    assert told.startswith("Schedule D, line 21 Allowed loss, the smaller of the loss on line 16 and the cap: 3,000 ")
    assert "the smaller of line 16 with its sign changed and the capital loss cap" in told
    assert "min(-line16, capital_loss_cap)" in told
    assert "Only if line 16 is below 0 (line 16 is below 0, by 1,250,167); otherwise blank." in told
    assert "The capital loss cap decides, by 1,247,167." in told
    assert "What would change it: Short-term gain or long-term gain: 1,247,167 more and it stays at 3,000" in told
    assert (
        "Most net capital loss that may be deducted from other income 26 USC (Internal Revenue Code), §1211(b)" in told
    )
    assert re.search(r"§1211\(b\); rules/2025/schedule_d\.yaml:\d+$", told)


def test_it_is_the_same_wherever_it_is_made(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert page(made_return()) == text


def test_rows_are_data_in_whole_cents_with_where_they_come_from(made: Return, text: str) -> None:
    data = data_of(text)
    sales = data["sales"]
    assert sales["count"] == len(ROWS)
    assert column(sales, "gain") == made.rows["gain"].to_list()
    assert column(sales, "acquired")[3:] == ["INHERITED", "VARIOUS"]
    places = column(data["ledger"], "at")
    assert [places[n] for n in column(sales, "sale")[:2]] == ["schwab.csv:3", "coin base;.csv:12"]
    assert [places[n] for n in column(sales, "lot")[:2]] == ["schwab.csv:2", "coin base;.csv:4; coin base;.csv:5"]
    assert column(data["income"], "amount") == ["12.00", "3.000012"]


def test_amounts_that_a_script_cannot_hold_are_text() -> None:
    cents = 2**53 + 1
    data = data_of(page(made_return(rows=[(*ACME[:9], cents, 0, "", 0, *ACME[13:])])))
    assert column(data["sales"], "proceeds") == [str(cents)]


def test_the_picture_nets_from_one_bar_to_the_next() -> None:
    gain = (*ACME[:9], 500_000, 0, "", 0, *ACME[13:])
    loss = (*ACME[:9], 0, 900_000, "", 0, *ACME[13:])
    bars = picture(made_return(rows=[gain, loss], carryover={"short": 1_000, "long": 0})).bars
    assert [(bar.label, bar.amount, bar.kind) for bar in bars] == [
        ("Short-term gains", "5,000", "gain"),
        ("Short-term losses", "(9,000)", "loss"),
        ("Short-term loss carried in", "(1,000)", "carried"),
        ("Net short-term", "(5,000)", "net"),
        ("Both terms together", "(5,000)", "net"),
        ("Deducted from other income this year", "(3,000)", "loss"),
        ("Short-term loss carried on to 2026", "(2,000)", "carried"),
    ]
    scale = Decimal(bars[0].width) / 5_000
    assert [round(bar.width / scale, -2) for bar in bars] == [5_000, 9_000, 1_000, 5_000, 5_000, 3_000, 2_000]
    assert bars[1].x + bars[1].width == bars[0].x + bars[0].width
    assert all(bar.x >= 0 and bar.x + bar.width <= WIDE for bar in bars)


def test_nothing_sold_makes_a_report_too() -> None:
    text = page(made_return(rows=[], carryover={}, events=made_return().income.clear(), warnings=[]))
    tree(text)
    assert "Nothing was gained, lost or carried over." in text
    assert 'id="sales"' not in text


def test_what_is_left_to_do_is_told_the_most_urgent_first() -> None:
    told = [task.what for task in tasks(made_return(2026, [OLD], planning_only=True, ssn="", warnings=["x", "y"]))]
    urgent = ["Don't file this return", "Wait for the final forms of 2026", "Look at what lotlaw warns of"]
    assert told[:3] == urgent
    assert told[3].startswith("Answer on Schedule D (Form 1040): Did you dispose of any investment in a qualified")
    assert "Write your social security number on every page" in told
    assert told[-2:] == ["Carry the unused loss into 2027", "Keep this folder and the files it was made from"]
    carried = next(task.about for task in tasks(made_return()) if task.what.startswith("Carry"))
    assert yaml.safe_load(carried.partition(": ")[2].rstrip(".")) == {"carryover": {"short": 1238168, "long": 8999}}
    imports = next(task for task in tasks(made_return(rows=[BTC])) if "tax software" in task.what)
    assert "1 of form_8949.txf" in imports.about


def test_sales_without_a_row_of_their_own_are_told_where_they_stand(tmp_path: Path) -> None:
    from lotlaw.filing import file_years

    year, exports, taxpayer = demo_files()
    with contextlib.chdir(DEMO):
        (made,) = file_years(
            [year],
            exports,
            taxpayer,
            out=tmp_path / "out",
            formats=["html", "fdx"],
            aggregate_covered=True,
            summarize=True,
        )
    text = (tmp_path / "out" / "report.html").read_text()
    reasons = {e.get("id"): e for e in tree(text).iter("section")}
    filters = {name: [a.get("data-filter") for a in e.iter("a") if a.get("data-filter")] for name, e in reasons.items()}
    assert filters["why-schedule_d-1a"] == ["line=schedule_d.1a"]
    assert filters["why-schedule_d-2"] == ["box=B,H;line="]
    assert column(data_of(text)["sales"], "line") == ["schedule_d.1a", "", "schedule_d.8a", "", ""]
    assert any(task.what == "Attach the statement of sales" for task in tasks(made))
    assert "coinbase - see attached statement" in text
    assert (tmp_path / "out" / "fdx.json").read_text().count('"exception1": true') == 2


# Nothing of a file's runs in it, and it is private


def test_its_policy_lets_only_its_own_style_and_script_run(text: str) -> None:
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)[1]
    found = {name: base64.b64encode(hashlib.sha256(body.encode()).digest()).decode() for name, body in (
        ("script", re.search(r"<script>(.*?)</script>", text, re.DOTALL)[1]),
        ("style", re.search(r"<style>(.*?)</style>", text, re.DOTALL)[1]),
    )}  # fmt: skip
    assert policy.replace("&#39;", "'") == (
        f"default-src 'none'; script-src 'sha256-{found['script']}'; style-src 'sha256-{found['style']}'; "
        "base-uri 'none'; form-action 'none'"
    )
    assert not re.search(r"\s(on\w+|style|src)=", re.sub(r"<(script|style)[^>]*>.*?</\1>", "", text, flags=re.DOTALL))


def test_texts_of_a_file_are_only_shown(text: str) -> None:
    assert HARM not in text
    harm = "</script><script>alert(1)</script><!-- &lt; \u202e"
    row = (*EVIL[:3], harm, harm, harm, *EVIL[6:])
    text = page(made_return(rows=[row], name=harm, warnings=[harm]))
    assert "<script>alert" not in text
    assert "<!--" not in text.partition("</head>")[2]
    assert "\u202e" not in text
    shown = column(data_of(text)["sales"], "description")
    assert shown == [harm.replace("\u202e", "\ufffd")]


def test_it_is_written_for_its_owner_alone_with_the_number_on_the_forms(made: Return, tmp_path: Path) -> None:
    write(made, tmp_path / "out", ["html"])
    path = tmp_path / "out" / "report.html"
    assert path.stat().st_mode & 0o777 == 0o600
    assert SSN in path.read_text()
    write(made, tmp_path / "out", ["csv"])
    assert not path.exists()


# In a browser


def browser_here() -> str:
    """A Chromium, and what drives it; why not, where there is none. With LOTLAW_BROWSER=required there must be."""
    try:
        import playwright  # noqa: F401
    except ImportError:
        return ""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "")


def needs_browser() -> None:
    if not browser_here():
        why = "no browser here: these tests need Playwright (extra `test`) and Chromium"
        if os.environ.get("LOTLAW_BROWSER") == "required":
            pytest.fail(why)
        pytest.skip(why)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    needs_browser()
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=60_000)  # a busy machine is slow, not wrong
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=browser_here(), args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def opened(browser: Any) -> Iterator[Any]:
    """`opened(path)` opens a page; at the end, it must have asked the network for nothing and complained of nothing."""
    said: list[str] = []
    contexts = []

    def at(path: Path, **look: Any) -> Any:
        context = browser.new_context(viewport={"width": 1200, "height": 900}, **look)
        context.set_default_timeout(60_000)
        contexts.append(context)
        tab = context.new_page()
        tab.on("console", lambda message: said.append(message.text))
        tab.on("pageerror", lambda error: said.append(str(error)))
        tab.on("dialog", lambda dialog: said.append(dialog.message))
        tab.on("request", lambda request: said.append(request.url) if request.url != path.as_uri() else None)
        tab.goto(path.as_uri())
        return tab

    yield at
    for context in contexts:
        context.close()
    assert said == []


def told(tab: Any, section: str = "sales") -> Any:
    return tab.locator(f"#{section} [role=status]")


def test_an_amount_is_followed_to_the_row_it_comes_from(opened: Any, demo: Path) -> None:
    from playwright.sync_api import expect

    tab = opened(demo)
    title, why = tab.locator("#why-title"), tab.locator("#why .body")
    tab.locator("#result .results a", has_text="3,000").first.click()
    expect(title).to_have_text("Schedule D, line 21")
    for line in ("line 16", "line 7", "line 2"):
        why.locator(".says a", has_text=re.compile(f"^{line}( column .*)?$")).first.click()
        expect(title).to_have_text(f"Schedule D, {line}")
    why.locator("a", has_text="The sales behind it").click()
    expect(told(tab)).to_have_text("1 of 5 sales in box B or H, together (7,634.40)")
    tab.locator("#sales tbody a").click()
    expect(title).to_have_text("60 SOL")
    for part in (
        "d - e + g = 7,455.00 - 15,089.40 + 0.00",
        "coinbase.csv:8: ",
        "coinbase.csv:10: buy",
        "2025 Form 8949",
    ):
        expect(why).to_contain_text(part)
    why.locator("a", has_text="Schedule D, line 2").click()
    expect(title).to_have_text("Schedule D, line 2")
    tab.locator("#why .back").click()
    expect(title).to_have_text("60 SOL")


def test_a_row_of_the_paper_form_leads_to_its_source(opened: Any, demo: Path) -> None:
    from playwright.sync_api import expect

    tab = opened(demo)
    tab.locator("#form_8949 td.money a", has_text="(1,954.25)").click()
    expect(tab.locator("#why-title")).to_have_text("1 ETH")
    expect(tab.locator("#why .body")).to_contain_text("coinbase.csv:7")
    tab.keyboard.press("Escape")
    tab.locator("#form_8949 .box-totals a", has_text="(10.81)").click()
    expect(tab.locator("#why-title")).to_have_text("Schedule D, line 9")


def test_the_picture_leads_to_the_sales_and_lines_behind_it(opened: Any, demo: Path) -> None:
    from playwright.sync_api import expect

    tab = opened(demo)
    tab.locator(".picture tr", has_text="Long-term losses").locator("a").click()
    expect(told(tab)).to_have_text("3 of 5 sales, together 1,129.06")
    tab.locator(".picture tr", has_text="Deducted").locator("a").click()
    expect(tab.locator("#why-title")).to_have_text("Schedule D, line 21")


def test_rows_are_searched_filtered_and_sorted(opened: Any, demo: Path) -> None:
    from playwright.sync_api import expect

    tab = opened(demo)
    first = tab.locator("#sales tbody tr:not(.space)").first
    expect(told(tab)).to_have_text("5 sales, together (3,220.64)")
    tab.fill("#sales input", "coinbase 2025-04")
    expect(told(tab)).to_have_text("1 of 5 sales, together (1,954.25)")
    tab.click("#sales button[type=reset]")
    expect(told(tab)).to_have_text("5 sales, together (3,220.64)")
    tab.select_option("#sales select[name=term]", "long")
    expect(told(tab)).to_have_text("3 of 5 sales, together 1,129.06")
    tab.click("#sales th[data-column=gain] button")
    expect(first).to_contain_text("(1,954.25)")
    tab.click("#sales th[data-column=gain] button")
    expect(first).to_contain_text("1,943.44")
    expect(tab.locator("#sales th[data-column=gain]")).to_have_attribute("aria-sort", "descending")
    tab.fill("#sales input", "nothing like it")
    expect(told(tab)).to_have_text("0 of 5 sales, together 0.00")


def test_it_works_from_the_keyboard(opened: Any, demo: Path) -> None:
    from playwright.sync_api import expect

    tab = opened(demo)
    tab.keyboard.press("Tab")
    expect(tab.locator(".skip")).to_be_focused()
    link = tab.locator("#result .results a").first
    link.focus()
    tab.keyboard.press("Enter")
    expect(tab.locator("#why-title")).to_be_focused()
    tab.keyboard.press("Escape")
    expect(tab.locator("#why")).to_be_hidden()
    expect(link).to_be_focused()


def test_it_prints_whole(opened: Any, demo: Path, tmp_path: Path) -> None:
    from playwright.sync_api import expect

    tab = opened(demo)
    tab.fill("#sales input", "sol")
    expect(told(tab)).to_contain_text("1 of 5 sales")
    tab.pdf(path=tmp_path / "report.pdf")
    text = "\n".join(sheet.extract_text() for sheet in pypdf.PdfReader(tmp_path / "report.pdf").pages)
    for part in (
        "The result",
        "What is left to do",
        "Part III: Summary",
        "Totals of box K",
        "60 SOL",
        "Why each amount",
    ):
        assert part in text
    assert "Show all" not in text


def test_a_hundred_thousand_rows_are_there_and_a_few_drawn(opened: Any, tmp_path: Path) -> None:
    from playwright.sync_api import expect

    count = 100_000
    days = [date(2025, 1, 1) + timedelta(days=n % 365) for n in range(365)]
    rows = [(*ACME[:5], f"{n} sh. ACME", *ACME[6:8], days[n * 365 // count], n, *ACME[10:]) for n in range(count)]
    path = tmp_path / "report.html"
    path.write_text(page(made_return(rows=rows)), encoding="utf-8")
    tab = opened(path)
    expect(told(tab)).to_contain_text("100,000 sales, together")
    tab.locator("#sales .scroll").evaluate("frame => { frame.scrollTop = frame.scrollHeight; }")
    expect(tab.locator("#sales tbody tr:not(.space)").last).to_contain_text("99999 sh. ACME")
    assert tab.locator("#sales tbody tr").count() < 100
    tab.fill("#sales input", "77777 sh.")
    expect(told(tab)).to_contain_text("1 of 100,000 sales")
    expect(tab.locator("#form_8949")).to_contain_text("9,091 pages: they are in forms.html")


def contrast(one: str, other: str) -> float:
    """The contrast of two colours as WCAG 2 has it."""
    lights = []
    for colour in (one, other):
        parts = [int(n) / 255 for n in re.findall(r"\d+", colour)[:3]]
        red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        lights.append(0.2126 * red + 0.7152 * green + 0.0722 * blue)
    return (max(lights) + 0.05) / (min(lights) + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read_by_day_and_by_night(opened: Any, demo: Path, scheme: str) -> None:
    tab = opened(demo, color_scheme=scheme)
    paper = tab.locator(".panel").first.evaluate("e => getComputedStyle(e).backgroundColor")
    assert (contrast(paper, "rgb(0, 0, 0)") > 10) is (scheme == "light")
    for selector in (".panel h2", ".found", ".cite", ".results dt", ".picture .money", "#sales a"):
        colour = tab.locator(selector).first.evaluate("e => getComputedStyle(e).color")
        assert contrast(paper, colour) >= 4.5, selector


def test_a_phone_shows_it_without_scrolling_sideways(opened: Any, demo: Path) -> None:
    tab = opened(demo)
    tab.set_viewport_size({"width": 375, "height": 800})
    assert tab.evaluate("document.documentElement.scrollWidth") == 375


def test_without_its_script_the_amounts_still_lead_to_their_reasons(opened: Any, demo: Path) -> None:
    from playwright.sync_api import expect

    tab = opened(demo, java_script_enabled=False)
    tab.locator("#schedule_d td.money a", has_text="3,000").click()
    expect(tab.locator("#why-schedule_d-21")).to_be_in_viewport()
