// Draws the charts, in the colours that the reader's system asks for, and again when that changes. On paper they are light.
{
const CHARTS = document.getElementById("charts").textContent;
const named = (night) => (night ? {"@gain": "#7fd0a0", "@loss": "#ff9f87"} : {"@gain": "#1a6b42", "@loss": "#a3341b"});
const dark = matchMedia("(prefers-color-scheme: dark)");
const paper = matchMedia("print");
const colours = (night) => {
  const ink = night ? "#e9e7e0" : "#1b1b1a", faint = night ? "#a5a299" : "#66645e", hair = night ? "#403f3a" : "#e2dfd6";
  return {
    background: null, font: "system-ui, Helvetica, Arial, sans-serif", view: {stroke: null},
    axis: {labelColor: faint, titleColor: faint, gridColor: hair, domainColor: hair, tickColor: hair, titleFontWeight: "normal", labelFontSize: 12, titleFontSize: 12},
    legend: {labelColor: ink, titleColor: faint, titleFontWeight: "normal", labelFontSize: 12, labelLimit: 400, orient: "top"},
    range: {category: night ? ["#e8a15c", "#6fb1f0", "#7fd0a0", "#ff9f87", "#c9a6f2"] : ["#c06a12", "#1f6db5", "#1a6b42", "#a3341b", "#6b47a8"]},
    rule: {color: faint}, text: {color: ink}, line: {strokeWidth: 2.5}, bar: {cornerRadius: 1},
  };
};
const draw = () => {
  const night = dark.matches && !paper.matches;
  const charts = Object.entries(named(night)).reduce((text, [name, colour]) => text.replaceAll(name, colour), CHARTS);
  for (const [name, spec] of Object.entries(JSON.parse(charts))) {
    vegaEmbed(document.getElementById(name), spec, {actions: false, renderer: "svg", logLevel: 1, config: colours(night)});
  }
};
dark.addEventListener("change", draw);
paper.addEventListener("change", draw);
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((part) => { part.open = true; }));
draw();
}
