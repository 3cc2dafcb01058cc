// The report of a return: its tables a screen at a time, a search over them, and why an amount is so.
// Everything is built from text, nothing is asked of the network, and the page reads without it.
"use strict";
(() => {
  const DATA = JSON.parse(document.getElementById("data").textContent);
  const MORE = 12; // rows that are drawn beyond what is seen
  const PRINTED = 2048; // rows of a table that are printed
  const SLICE = 8192; // rows that are looked through before the page may do something else

  function make(name, text, classes) {
    const element = document.createElement(name);
    if (text !== undefined) element.textContent = text;
    if (classes) element.className = classes;
    return element;
  }

  function link(href, text) {
    const element = make("a", text);
    element.href = href;
    return element;
  }

  function reader(column) {
    return column.texts ? (n) => column.texts[column.of[n]] : (n) => column[n];
  }

  function dollars(cents) {
    const text = String(cents);
    const digits = text.replace("-", "").padStart(3, "0");
    const whole = digits.slice(0, -2).replace(/\B(?=(\d{3})+$)/g, ",");
    return text.startsWith("-") ? `(${whole}.${digits.slice(-2)})` : `${whole}.${digits.slice(-2)}`;
  }

  function grouped(amount) {
    const [whole, rest] = String(amount).split(".");
    const text = whole.replace(/\B(?=(\d{3})+$)/g, ",");
    return rest === undefined ? text : `${text}.${rest}`;
  }

  const ledgerAt = reader(DATA.ledger.columns.at);
  const ledgerSaid = reader(DATA.ledger.columns.said);

  const SHOWN = {
    cents: dollars,
    amount: grouped,
    flag: (yes) => (yes ? "yes" : "no"),
    place: (row) => (row === null ? "" : ledgerAt(row)),
  };
  const NUMBERS = new Set(["cents", "amount"]);

  class Table {
    constructor(element) {
      this.element = element;
      this.section = element.closest("section");
      this.frame = element.closest(".scroll");
      this.body = element.tBodies[0];
      this.form = this.section.querySelector("form");
      this.status = this.section.querySelector("[role=status]");
      const { count, columns } = DATA[element.dataset.rows];
      this.count = count;
      this.read = Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, reader(column)]));
      this.columns = [...element.tHead.rows[0].cells].map((head) => this.head(head));
      this.rows = this.all();
      this.shown = this.rows;
      this.found = [];
      this.only = {};
      this.height = 0;
      this.run = 0;
      this.listen();
      this.filter();
    }

    all() {
      return Uint32Array.from({ length: this.count }, (_, n) => n);
    }

    head(cell) {
      const { column: name, kind = "text" } = cell.dataset;
      const button = make("button", cell.textContent);
      button.type = "button";
      cell.replaceChildren(button);
      if (NUMBERS.has(kind)) cell.classList.add("money");
      const column = { name, kind, cell, show: SHOWN[kind] || String };
      button.addEventListener("click", () => this.sort(column));
      return column;
    }

    listen() {
      let waiting = 0;
      const soon = () => {
        clearTimeout(waiting);
        waiting = setTimeout(() => this.filter(), 120);
      };
      this.form.addEventListener("submit", (event) => event.preventDefault());
      this.form.addEventListener("input", (event) => {
        if (event.target.name === "box") delete this.only.box;
        soon();
      });
      this.form.addEventListener("reset", () => {
        this.only = {};
        setTimeout(() => this.filter());
      });
      this.frame.addEventListener("scroll", () => requestAnimationFrame(() => this.draw()), { passive: true });
      addEventListener("resize", () => this.measure());
      addEventListener("beforeprint", () => this.print());
      addEventListener("afterprint", () => this.draw(true));
    }

    text(n) {
      this.found[n] ??= this.columns.map(({ name, show }) => show(this.read[name](n))).join("\n").toLowerCase();
      return this.found[n];
    }

    wanted() {
      const words = this.form.elements.words.value.toLowerCase().split(/\s+/).filter(Boolean);
      const chosen = [...this.form.querySelectorAll("select")].filter((select) => select.value !== "");
      const only = Object.entries({
        ...Object.fromEntries(chosen.map((select) => [select.name, [select.value]])),
        ...this.only,
      });
      const fits = (n) =>
        only.every(([name, values]) => values.includes(String(this.read[name](n)))) &&
        (!words.length || words.every((word) => this.text(n).includes(word)));
      return { all: !words.length && !only.length, fits };
    }

    async filter() {
      const run = ++this.run;
      const { all, fits } = this.wanted();
      let shown = this.rows;
      if (!all) {
        const kept = [];
        for (let start = 0; start < this.rows.length; start += SLICE) {
          for (const n of this.rows.subarray(start, start + SLICE)) if (fits(n)) kept.push(n);
          await new Promise((resolve) => setTimeout(resolve));
          if (run !== this.run) return;
        }
        shown = Uint32Array.from(kept);
      }
      this.shown = shown;
      this.frame.scrollTop = 0;
      this.element.setAttribute("aria-rowcount", String(shown.length + 1));
      this.draw(true);
      this.tell();
    }

    tell() {
      const { noun, sum } = this.element.dataset;
      const count = this.shown.length.toLocaleString("en-US");
      const of = this.shown.length === this.count ? "" : ` of ${this.count.toLocaleString("en-US")}`;
      const kept = Object.entries(this.only).map(([name, values]) => {
        if (name === "box") return ` in box ${values.join(" or ")}`;
        return name === "line" ? "" : `, ${name}`;
      });
      let told = `${count}${of} ${noun}${kept.join("")}`;
      if (sum) {
        let total = 0n;
        for (const n of this.shown) total += BigInt(this.read[sum](n));
        told += `, together ${dollars(total)}`;
      }
      this.status.textContent = told;
    }

    sort(column) {
      const down = column.cell.getAttribute("aria-sort") === "ascending";
      for (const { cell } of this.columns) cell.removeAttribute("aria-sort");
      column.cell.setAttribute("aria-sort", down ? "descending" : "ascending");
      const read = this.read[column.name];
      const keys = Array.from({ length: this.count }, (_, n) =>
        NUMBERS.has(column.kind) ? Number(read(n)) : column.show(read(n)),
      );
      const by = down ? -1 : 1;
      const order = NUMBERS.has(column.kind)
        ? (a, b) => by * (keys[a] - keys[b]) || a - b
        : (a, b) => (keys[a] < keys[b] ? -by : keys[a] > keys[b] ? by : a - b);
      this.rows = this.all().sort(order);
      this.filter();
    }

    row(n, at) {
      const row = make("tr");
      row.setAttribute("aria-rowindex", String(at + 2));
      for (const { name, kind, show } of this.columns) {
        const text = show(this.read[name](n));
        const cell = make("td", undefined, NUMBERS.has(kind) ? "money" : kind);
        if (this.element.dataset.rows === "sales" && name === "gain") cell.append(link(`#sale-${n}`, text));
        else cell.textContent = text;
        if (kind === "text" && text.length > 20) cell.title = text;
        row.append(cell);
      }
      return row;
    }

    space(rows) {
      const row = make("tr", undefined, "space");
      row.setAttribute("aria-hidden", "true");
      const cell = make("td");
      cell.colSpan = this.columns.length;
      cell.style.height = `${rows * this.height}px`;
      row.append(cell);
      return row;
    }

    measure() {
      const row = this.body.querySelector("tr:not(.space)");
      if (row) this.height = row.getBoundingClientRect().height || this.height;
      this.draw(true);
    }

    draw(anew) {
      if (!this.height && this.shown.length) {
        this.body.replaceChildren(this.row(this.shown[0], 0));
        this.height = this.body.rows[0].getBoundingClientRect().height || 30;
        anew = true;
      }
      const first = Math.max(0, Math.floor(this.frame.scrollTop / (this.height || 30)) - MORE);
      const seen = Math.ceil(this.frame.clientHeight / (this.height || 30)) + 2 * MORE;
      const last = Math.min(this.shown.length, first + seen);
      if (!anew && first === this.first && last === this.last) return;
      [this.first, this.last] = [first, last];
      const rows = Array.from({ length: last - first }, (_, n) => this.row(this.shown[first + n], first + n));
      this.body.replaceChildren(this.space(first), ...rows, this.space(this.shown.length - last));
    }

    print() {
      const rows = Array.from(this.shown.subarray(0, PRINTED), (n, at) => this.row(n, at));
      const left = this.shown.length - rows.length;
      if (left > 0) {
        const row = make("tr");
        const cell = make("td", `and ${left.toLocaleString("en-US")} more, which are in this page and in the CSV files`);
        cell.colSpan = this.columns.length;
        row.append(cell);
        rows.push(row);
      }
      this.body.replaceChildren(...rows);
    }

    // Shows the rows that are told as `box=D,E;collectible=1`.
    keep(told) {
      this.form.reset();
      const only = Object.fromEntries(told.split(";").map((part) => part.split("=")));
      for (const select of this.form.querySelectorAll("select")) {
        const one = only[select.name] && !only[select.name].includes(",");
        if (one) select.value = only[select.name];
        if (one) delete only[select.name];
      }
      setTimeout(() => {
        this.only = Object.fromEntries(Object.entries(only).map(([name, values]) => [name, values.split(",")]));
        this.filter().then(() => this.frame.focus());
      });
    }
  }

  const tables = Object.fromEntries(
    [...document.querySelectorAll("table[data-rows]")].map((element) => [element.dataset.rows, new Table(element)]),
  );

  // Why an amount is so

  const dialog = document.getElementById("why");
  const title = document.getElementById("why-title");
  const body = dialog.querySelector(".body");
  const back = dialog.querySelector(".back");
  const trail = [];

  function listed(entries) {
    const list = make("dl");
    for (const [term, value, classes] of entries) {
      if (value === "" || value === undefined) continue;
      const said = make("dd", typeof value === "string" ? value : undefined, classes);
      if (typeof value !== "string") said.append(value);
      list.append(make("dt", term), said);
    }
    return list;
  }

  function from(row) {
    if (row === null) return "";
    const said = make("span");
    said.append(make("b", ledgerAt(row)), ledgerSaid(row) ? `: ${ledgerSaid(row)}` : "");
    return said;
  }

  function sale(n) {
    const { law } = DATA;
    const read = tables.sales.read;
    const box = read.box(n);
    const codes = [...read.codes(n)].map((code) => `${code}: ${law.codes[code] || ""}`).join("; ");
    const amounts = ["proceeds", "basis", "adjustment", "gain"];
    const worked = law.is.replace(/\b[a-z]\b/g, (letter) => dollars(read[law.shows[letter]](n)));
    const straight = read.line(n) && document.getElementById(`why-${read.line(n).replace(".", "-")}`);
    const goes =
      straight ||
      [...document.querySelectorAll(".reason[data-boxes]")].find((reason) =>
        reason.dataset.boxes.split(" ").includes(box),
      );
    const content = [
      listed([
        [law.columns.acquired, read.acquired(n)],
        [law.columns.sold, read.sold(n)],
        ...amounts.slice(0, 2).map((name) => [law.columns[name], dollars(read[name](n)), "money"]),
        [law.columns.codes, codes],
        ...amounts.slice(2).map((name) => [law.columns[name], dollars(read[name](n)), "money"]),
        ["Worked out as", make("code", `${law.is} = ${worked}`)],
        ["Term", `${read.term(n)}-term`],
        ["Long-term if sold from", make("code", law.term.is)],
        ["Box", `${box}: ${law.boxes[box]}`],
        ["Account", read.account(n)],
        ["The sale", from(read.sale(n))],
        ["The lot", from(read.lot(n))],
      ]),
    ];
    if (goes) {
      const on = make("p", "Goes to ", "readers");
      on.append(link(`#${goes.id}`, goes.querySelector("h4").textContent));
      content.push(on);
    }
    content.push(make("p", law.cite, "cite"), make("p", law.term.cite, "cite"));
    return [read.description(n), content];
  }

  function line(id) {
    const reason = document.getElementById(id).cloneNode(true);
    const heading = reason.querySelector("h4");
    heading.remove();
    return [heading.textContent, [...reason.childNodes]];
  }

  function show() {
    const id = trail.at(-1);
    const [heading, content] = id.startsWith("sale-") ? sale(Number(id.slice(5))) : line(id);
    title.textContent = heading;
    body.replaceChildren(...content);
    back.hidden = trail.length < 2;
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
    title.focus();
  }

  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element && event.target.closest("a[href^='#']");
    if (!target) return;
    const id = target.getAttribute("href").slice(1);
    if (id.startsWith("sale-") || (id.startsWith("why-") && document.getElementById(id))) {
      event.preventDefault();
      trail.push(id);
      show();
    } else if (target.dataset.filter && tables.sales) {
      event.preventDefault();
      dialog.close();
      document.getElementById("sales").scrollIntoView();
      tables.sales.keep(target.dataset.filter);
    } else if (dialog.open) {
      dialog.close();
    }
  });
  back.addEventListener("click", () => {
    trail.pop();
    show();
  });
  dialog.querySelector(".close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("close", () => trail.splice(0));
})();
