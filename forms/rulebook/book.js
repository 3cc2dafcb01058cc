// lotlaw rulebook: search, and arcs of the line that is pointed at. Everything else works without it.
"use strict";

const field = document.getElementById("search");
const found = document.getElementById("found");
const count = document.getElementById("count");
const MOST = 20;

function rank(entry, words) {
  const [name, label, , rest] = entry.map((text) => text.toLowerCase());
  let points = name.startsWith(words.join(" ")) ? 5 : 0;
  for (const word of words) {
    if (name.split(/[\s,]+/).includes(word)) points += 4;
    else if (name.includes(word)) points += 3;
    else if (label.includes(word)) points += 2;
    else if (rest.includes(word)) points += 1;
    else return 0;
  }
  return points;
}

function look() {
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  const ranked = words.length
    ? LINES.map((entry) => [rank(entry, words), entry]).filter(([points]) => points > 0)
    : [];
  ranked.sort((a, b) => b[0] - a[0]);
  found.replaceChildren(...ranked.slice(0, MOST).map(([, entry]) => shown(entry)));
  found.hidden = !ranked.length;
  count.textContent = words.length ? told(ranked.length) : "";
}

function shown([name, label, href]) {
  const item = document.createElement("li");
  const link = document.createElement("a");
  link.href = href;
  link.textContent = name;
  if (label) {
    const small = document.createElement("small");
    small.textContent = label;
    link.append(small);
  }
  link.addEventListener("click", close);
  item.append(link);
  return item;
}

function told(many) {
  if (many > MOST) return `${many} found, the best ${MOST} shown`;
  return many ? `${many} found` : "Nothing found";
}

function close() {
  found.hidden = true;
  count.textContent = "";
  field.value = "";
}

function step(by) {
  const links = [...found.querySelectorAll("a")];
  const at = links.indexOf(document.activeElement) + by;
  if (at < 0) field.focus();
  else if (links[at]) links[at].focus();
}

field.addEventListener("input", look);
document.addEventListener("keydown", (event) => {
  const searching = field.parentElement.contains(document.activeElement);
  if (event.key === "/" && !searching && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    field.focus();
  } else if (event.key === "Escape" && searching) {
    close();
    field.focus();
  } else if (searching && event.key === "ArrowDown") {
    event.preventDefault();
    step(1);
  } else if (searching && event.key === "ArrowUp") {
    event.preventDefault();
    step(-1);
  } else if (event.key === "Enter" && document.activeElement === field) {
    found.querySelector("a")?.click();
  }
});
document.addEventListener("click", (event) => {
  if (!field.parentElement.contains(event.target)) close();
});

for (const graph of document.querySelectorAll(".graph")) {
  const ask = (event) => {
    const node = event.target.closest("[data-node]")?.dataset.node;
    graph.classList.toggle("asked", node !== undefined);
    for (const arc of graph.querySelectorAll("[data-from]")) {
      arc.classList.toggle("from", arc.dataset.from === node);
      arc.classList.toggle("to", arc.dataset.to === node);
    }
  };
  for (const kind of ["mouseover", "focusin"]) graph.addEventListener(kind, ask);
  for (const kind of ["mouseleave", "focusout"]) graph.addEventListener(kind, () => graph.classList.remove("asked"));
}

window.addEventListener("beforeprint", () => {
  for (const folded of document.querySelectorAll("details.history")) folded.open = true;
});

if (window.matchMedia("(max-width: 48rem)").matches) document.querySelector(".menu").removeAttribute("open");
