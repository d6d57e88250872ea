// Draws the course of the trial that is chosen: panels on one time axis, from the data in the page. It asks nobody.
(() => {
  "use strict";
  const trials = JSON.parse(document.getElementById("course-data").textContent);
  const [view, choice, moment, note, panels, table] =
    ["view", "trial", "moment", "note", "panels", "table"].map(name => document.getElementById(`course-${name}`));
  const DASHES = { contender: [], baseline: [7, 4], third: [12, 4, 2, 4], fourth: [2, 3], good: [9, 3], bad: [4, 2], open: [14, 3] };
  const ROWS = 60, HEIGHT = 130, GUTTER = 64, PAPER = 660;
  const root = document.documentElement;
  const colour = name => getComputedStyle(root).getPropertyValue(`--${name}`).trim();
  const amount = (value, unit) => value == null ? "-"
    : unit === "ms" && value >= 1000 ? `${+(value / 1000).toPrecision(3)} s` : unit === "tasks" ? `${value}` : `${value} ${unit}`;
  const made = (tag, text = "", properties = {}) => Object.assign(document.createElement(tag), { textContent: text }, properties);
  let trial, times, plots = [];

  // One panel: its title, the names of its lines with their values at the cursor, and the picture.
  function draw(panel) {
    const figure = made("figure"), key = made("p", "", { className: "key" }), canvas = made("div", "", { className: "course" });
    const values = panel.lines.map(line => {
      const item = key.appendChild(made("span", "", { className: "item" }));
      item.append(made("i", "", { className: `stroke ${line.style}` }), `${line.name} `, made("b"));
      return item.lastChild;
    });
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `${panel.title}, ${trial.name}: ${panel.lines.map(line => spoken(line, panel.unit)).join("; ")}`);
    figure.append(made("figcaption", panel.title), key, canvas);
    panels.append(figure);
    const axis = { stroke: () => colour("soft"), grid: { stroke: () => colour("line"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
    const plot = new uPlot({
      width: canvas.clientWidth, height: HEIGHT, legend: { show: false }, padding: [8, 14, 0, 0],
      scales: { x: { time: false }, y: { range: (_, __, most) => [0, (most || 1) * 1.08] } },
      axes: [
        { ...axis, size: 26, values: (_, at) => at.map(value => `${+value.toFixed(3)} s`) },
        { ...axis, size: GUTTER, space: 34, values: (_, at) => at.map(value => amount(+value.toPrecision(6), panel.unit)) },
      ],
      series: [{}, ...panel.lines.map(line => ({ label: line.name, width: 2, dash: DASHES[line.style], stroke: () => colour(line.style), points: { size: 5, fill: () => colour(line.style) } }))],
      cursor: { y: false, drag: { x: true, y: false }, sync: { key: "course", filters: { pub: type => type === "mousemove" || type === "mouseleave" } } },
      hooks: { drawClear: [shade], setScale: [follow], setCursor: [(u) => {
        panel.lines.forEach((line, number) => { values[number].textContent = u.cursor.idx == null ? "" : amount(line.values[u.cursor.idx], panel.unit); });
        if (u === plots[0] && u.cursor.idx != null) tell(u.cursor.idx);
      }] },
    }, [times, ...panel.lines.map(line => line.values)], canvas);
    plots.push(plot);
  }

  const spoken = (line, unit) => {
    const known = line.values.filter(value => value != null);
    return known.length ? `${line.name} from ${amount(Math.min(...known), unit)} to ${amount(Math.max(...known), unit)}` : `${line.name} not known`;
  };

  // Shade what was not measured, and an outage.
  function shade(u) {
    trial.marks.forEach(mark => {
      const [from, until] = [mark.begin, mark.end].map(at => Math.min(Math.max(u.valToPos(at, "x", true), u.bbox.left), u.bbox.left + u.bbox.width));
      u.ctx.fillStyle = colour(mark.name.startsWith("outage") ? "bad-tint" : "same-tint");
      u.ctx.fillRect(from, u.bbox.top, until - from, u.bbox.height);
    });
  }

  // All panels show the same stretch of time.
  function follow(u, key) {
    const { min, max } = u.scales[key];
    if (key === "x") plots.filter(p => p !== u && (p.scales.x.min !== min || p.scales.x.max !== max)).forEach(p => p.setScale("x", { min, max }));
  }

  function tell(place) {
    moment.value = place;
    const said = trial.panels.map(panel => panel.lines.map(line => `${line.name} ${amount(line.values[place], panel.unit)}`).join(", "));
    moment.setAttribute("aria-valuetext", `${+times[place].toFixed(1)} s: ${said.join("; ")}`);
  }

  function point() {
    plots.forEach(u => u.setCursor({ left: u.valToPos(times[moment.value], "x"), top: 0 }));
  }

  function zoom(factor) {
    const { min, max } = plots[0].scales.x, [first, last] = [times[0], times.at(-1)];
    const middle = Math.min(Math.max(times[moment.value], min), max), half = Math.max((max - min) * factor, 2 * trial.step) / 2;
    const low = factor ? Math.max(first, Math.min(middle - half, last - 2 * half)) : first;
    plots[0].setScale("x", { min: low, max: factor ? Math.min(last, low + 2 * half) : last });
  }

  // Bins are put together until there are few enough rows: rates and levels are means, latencies those of the slowest.
  function fill() {
    const [caption, head, body] = ["caption", "thead", "tbody"].map(name => table.querySelector(name));
    const each = Math.ceil(times.length / ROWS), span = +(each * trial.step).toFixed(3);
    caption.textContent = `${trial.name}: each line is ${span} s${each > 1 ? "; rates and levels are means, latencies those of the slowest stretch in it" : ""}`;
    const names = made("tr");
    const heading = text => names.append(made("th", text, { scope: "col", className: "number" }));
    heading("From, s");
    trial.panels.forEach(panel => panel.lines.forEach(line => heading(`${panel.title}: ${line.name}${panel.unit === "tasks" ? "" : `, ${panel.unit}`}`)));
    head.replaceChildren(names);
    body.replaceChildren();
    for (let place = 0; place < times.length; place += each) {
      const row = made("tr");
      row.append(made("th", `${+(place * trial.step).toFixed(3)}`, { scope: "row", className: "number" }));
      trial.panels.forEach(panel => panel.lines.forEach(line => {
        const known = line.values.slice(place, place + each).filter(value => value != null);
        const value = panel.unit === "ms" ? Math.max(...known) : known.reduce((sum, one) => sum + one, 0) / known.length;
        row.append(made("td", known.length ? `${+value.toPrecision(3)}` : "-", { className: "number" }));
      }));
      body.append(row);
    }
  }

  function show(number) {
    plots.forEach(plot => plot.destroy());
    plots = [];
    panels.replaceChildren();
    trial = trials[number];
    times = trial.panels[0].lines[0].values.map((_, place) => (place + 0.5) * trial.step);
    moment.max = times.length - 1;
    moment.value = 0;
    trial.panels.forEach(draw);
    tell(0);
    note.textContent = `Each point is ${trial.step} s. ${trial.marks.length ? `Shaded: ${trial.marks.map(mark => `${mark.name}, ${mark.begin} to ${mark.end} s`).join("; ")}.` : ""}`;
    fill();
  }

  const fit = width => plots.forEach(u => u.setSize({ width: width || u.root.parentElement.clientWidth || PAPER, height: HEIGHT }));
  const repaint = () => plots.forEach(u => u.redraw());
  view.hidden = false;
  choice.addEventListener("change", () => show(choice.value));
  moment.addEventListener("input", point);
  view.querySelectorAll("button").forEach(button => button.addEventListener("click", () => zoom(+button.dataset.zoom)));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
  new ResizeObserver(() => fit()).observe(panels);
  addEventListener("beforeprint", () => { root.classList.add("paper"); fit(PAPER); repaint(); });
  addEventListener("afterprint", () => { root.classList.remove("paper"); fit(); repaint(); });
  show(0);
})();
