// Makes the signal figures of a page zoom, pan and tell what is under the pointer or in a brushed
// part. It reads the data from the JSON beside each figure, writes text only as text, and loads
// nothing. Without it, and in print, the static picture stays.
"use strict";
(() => {
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  const SIZES = [[1, "s", "seconds"], [60, "min", "minutes"], [3600, "h", "hours"], [86400, "days", "days"]];
  const STEPS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900,
    1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 432000, 864000, 2592000, 8640000];
  const TIMES = [1200, 14400, 345600];
  const number = (v) => (v === null || v === undefined ? "–" : String(Number(v.toPrecision(4))));
  const two = (n) => String(n).padStart(2, "0");
  const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

  function dateText(seconds, span) {
    const d = new Date(seconds * 1000);
    const clock = two(d.getUTCHours()) + ":" + two(d.getUTCMinutes()) + (span < 7200 ? ":" + two(d.getUTCSeconds()) : "");
    return d.getUTCDate() + " " + MONTHS[d.getUTCMonth()] + " " + d.getUTCFullYear() + (span < 864000 * 9 ? " " + clock : "");
  }

  function element(kind, parent, text, name) {
    const made = document.createElement(kind);
    if (text) made.textContent = text;
    if (name) made.className = name;
    parent.append(made);
    return made;
  }

  // Lines and bands of one panel as the columns that uPlot wants, on one common time axis.
  function columns(panel, zero) {
    const shift = (x) => x.map((v) => v + zero);
    const tables = panel.lines.map((l) => [shift(l.x || panel.x), l.y]);
    const bands = panel.bands || [];
    for (const b of bands) tables.push([shift(b.x), b.high, b.low]);
    const data = tables.length > 1 ? uPlot.join(tables) : tables[0];
    const series = [{}];
    for (const l of panel.lines) {
      series.push({ label: l.name, stroke: () => colour(l.colour || "a"), width: l.thick ? 2 : 1.3, points: { show: l.y.length === 1 } });
    }
    const filled = [];
    for (const b of bands) {
      const at = series.length;
      const hidden = { label: "", stroke: "transparent", width: 0, points: { show: false } };
      series.push(hidden, { ...hidden });
      filled.push({ series: [at, at + 1], fill: () => colour(b.colour || "a") + "38" });
    }
    return { data, series, filled };
  }

  // A figure shows its panels, or those of the session that is chosen.
  function setUp(figure) {
    const told = JSON.parse(figure.querySelector("script[type='application/json']").textContent);
    if (!told.choices) return build(figure, told);
    const field = document.createElement("label");
    field.className = "choice";
    field.textContent = "Session ";
    const select = element("select", field);
    told.choices.forEach((choice, i) => { element("option", select, choice.name).value = i; });
    figure.querySelector("picture").after(field);
    const show = () => {
      figure.querySelectorAll(".live").forEach((made) => made.remove());
      const choice = told.choices[select.value];
      build(figure, { title: told.title + ": " + choice.name, panels: choice.panels }, field);
    };
    select.addEventListener("change", show);
    show();
  }

  function build(figure, told, behind) {
    const live = document.createElement("div");
    live.className = "live";
    live.tabIndex = 0;
    live.setAttribute("role", "group");
    live.setAttribute("aria-label", told.title + ". Arrow keys move, plus and minus zoom, zero shows all, " +
      "shift with an arrow reads value by value.");
    const bar = element("div", live, "", "bar");
    const button = (text, label, act) => {
      const made = element("button", bar, text);
      made.type = "button";
      made.title = label;
      made.setAttribute("aria-label", label);
      made.addEventListener("click", act);
      return made;
    };
    const reading = element("output", live, "", "reading");
    reading.setAttribute("aria-live", "polite");
    const hint = "Drag to read a part; shift and drag to move; + and − to zoom.";
    reading.textContent = hint;
    (behind || figure.querySelector("picture")).after(live);

    const groups = new Map();
    const plots = told.panels.map((panel) => {
      const key = panel.group || 0;
      if (!groups.has(key)) groups.set(key, { plots: [], low: Infinity, high: -Infinity });
      const group = groups.get(key);
      const last = told.panels.findLastIndex((p) => (p.group || 0) === key) === told.panels.indexOf(panel);
      const plot = makePlot(panel, group, live, reading, last);
      group.plots.push(plot);
      group.low = Math.min(group.low, plot.own[0]);
      group.high = Math.max(group.high, plot.own[1]);
      return plot;
    });
    if (!plots.length) return;
    let brushed = null;
    for (const group of groups.values()) move(group, group.low, group.high);
    const each = (act) => groups.forEach((group) => {
      const x = group.plots[0].u.scales.x;
      act(group, x.min, x.max, x.max - x.min);
    });
    const zoom = (by) => each((g, a, b, w) => move(g, a + w * (1 - by) / 2, b - w * (1 - by) / 2));
    const pan = (by) => each((g, a, b, w) => {
      const shift = Math.max(g.low - a, Math.min(g.high - b, w * by));
      move(g, a + shift, b + shift);
    });
    const all = () => {
      each((g) => move(g, g.low, g.high));
      plots.forEach((p) => p.u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false));
      brushed = null;
      part.hidden = true;
      reading.textContent = hint;
    };
    button("−", "Zoom out", () => zoom(2));
    button("+", "Zoom in", () => zoom(0.5));
    button("◀", "Earlier", () => pan(-0.25));
    button("▶", "Later", () => pan(0.25));
    button("All", "Show all", all);
    const part = button("Zoom to the part", "Zoom to the brushed part", () => {
      if (brushed) move(brushed.group, brushed.from, brushed.to);
      plots.forEach((p) => p.u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false));
      part.hidden = true;
    });
    part.hidden = true;
    for (const plot of plots) {
      brush(plot, reading, (from, to) => {
        brushed = { group: plot.group, from, to };
        part.hidden = false;
      });
      plot.u.over.addEventListener("dblclick", all);
      plot.u.over.addEventListener("wheel", (event) => {
        if (!event.ctrlKey && !event.metaKey && document.activeElement !== live) return;
        event.preventDefault();
        const { u, group } = plot, x = u.scales.x, by = event.deltaY > 0 ? 1.25 : 0.8;
        const at = u.posToVal(event.clientX - u.over.getBoundingClientRect().left, "x");
        move(group, at - (at - x.min) * by, at + (x.max - at) * by);
      }, { passive: false });
    }
    live.addEventListener("keydown", (event) => {
      if (event.target !== live || event.ctrlKey || event.metaKey || event.altKey) return;
      const acts = {
        ArrowLeft: () => (event.shiftKey ? step(plots[0], -1) : pan(-0.1)),
        ArrowRight: () => (event.shiftKey ? step(plots[0], 1) : pan(0.1)),
        "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), 0: all, Home: all, Escape: all,
      };
      if (acts[event.key]) {
        acts[event.key]();
        event.preventDefault();
      }
    });
    new ResizeObserver(() => plots.forEach((p) => p.u.setSize({ width: live.clientWidth, height: p.u.height }))).observe(live);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => plots.forEach((p) => p.u.redraw()));
    figure.classList.add("has-live");
    plots.forEach((p) => p.u.setSize({ width: live.clientWidth, height: p.u.height }));
  }

  // Show a part of the time axis in all panels of a group, never beyond what there is.
  function move(group, from, to) {
    const least = (group.high - group.low) * 1e-5;
    const low = Math.max(group.low, Math.min(from, to - least));
    const high = Math.min(group.high, Math.max(to, low + least));
    for (const plot of group.plots) plot.u.setScale("x", { min: low, max: high });
  }

  // Dates as day and month, with the year at the left end; hours and minutes between midnights.
  function dates(u, splits) {
    let year = null;
    return splits.map((at) => {
      const d = new Date(at * 1000);
      const midnight = !d.getUTCHours() && !d.getUTCMinutes() && !d.getUTCSeconds();
      const day = d.getUTCDate() + " " + MONTHS[d.getUTCMonth()];
      const clock = two(d.getUTCHours()) + ":" + two(d.getUTCMinutes()) + (d.getUTCSeconds() ? ":" + two(d.getUTCSeconds()) : "");
      const shown = midnight ? day : clock;
      const first = year === null;
      const turned = year !== d.getUTCFullYear();
      year = d.getUTCFullYear();
      return turned ? shown + "\n" + (midnight ? "" : day + " ") + year : first && !midnight ? shown + "\n" + day : shown;
    });
  }

  function makePlot(panel, group, live, reading, last) {
    const zero = panel.starts ? Date.parse(panel.starts + "Z") / 1000 : 0;
    const { data, series, filled } = columns(panel, zero);
    const known = data[0].filter((v) => v !== null);
    const own = [known[0], known[known.length - 1]];
    if (own[1] <= own[0]) own[1] = own[0] + 1;
    const span = own[1] - own[0];
    const unit = SIZES[TIMES.filter((t) => span >= t).length];
    const named = panel.lines.filter((l) => l.name);
    const longest = Math.max(0, ...named.map((l) => l.name.length));
    const room = panel.lines.length <= 9 && longest ? Math.min(live.clientWidth * 0.3 || 110, 110, 12 + 7 * longest) : 10;
    element("p", live, panel.title + (panel.unit_words ? " (" + panel.unit_words + ")" : ""), "panel");
    const box = element("div", live);
    const axis = { stroke: () => colour("soft"), grid: { stroke: () => colour("line"), width: 1 }, ticks: { stroke: () => colour("line"), width: 1 }, font: "12px system-ui" };
    const x = panel.starts ? { ...axis, size: 52, values: dates } : {
      ...axis, incrs: STEPS, ...(last ? { label: unit[2] + " from " + (panel.axis || "session start"), labelFont: "12px system-ui", labelSize: 20 } : {}), size: 32,
      values: (u, at) => at.map((v) => String(Number((v / unit[0]).toPrecision(6)))),
    };
    const levels = panel.level === undefined || panel.level === null ? [] : [panel.level];
    const options = {
      width: live.clientWidth || 340, height: (panel.flat ? 130 : 210) + (panel.starts ? 12 : 0), padding: [8, room, 0, 0],
      tzDate: (ts) => uPlot.tzDate(new Date(ts * 1000), "Etc/UTC"),
      legend: { show: false }, series, bands: filled,
      scales: {
        x: { time: Boolean(panel.starts), range: (u, low, high) => [low, high] },
        y: {
          range: (u, low, high) => {
            const a = Math.min(low, ...levels), b = Math.max(high, ...levels);
            const pad = (b - a) * 0.06 || Math.abs(b) * 0.1 || 1;
            return [a - pad, b + pad];
          },
        },
      },
      axes: [x, { ...axis, size: 56 }],
      cursor: { drag: { x: false, y: false }, sync: { key: live.parentNode.id + "-" + (panel.group || 0) } },
      hooks: {
        drawClear: [(u) => shade(u, panel, zero)],
        draw: [(u) => nameLines(u, panel, room, zero)],
        setCursor: [(u) => {
          if (u.cursor.idx === null || u.cursor.idx === undefined || u.cursor.event === null || plot.brushing) return;
          if (!u.over.matches(":hover") && !plot.stepping) return;
          reading.textContent = readingAt(plot, u.cursor.idx);
        }],
      },
    };
    const plot = { panel, group, own, unit, span, brushing: false, stepping: false };
    plot.u = new uPlot(options, data, box);
    plot.u.over.style.touchAction = "pan-y";
    return plot;
  }

  const at = (plot, v) => (plot.panel.starts ? dateText(v, plot.u.scales.x.max - plot.u.scales.x.min) : number(v / plot.unit[0]) + " " + plot.unit[1]);

  function readingAt(plot, index) {
    const { u, panel } = plot;
    const unit = panel.unit_words ? " " + panel.unit_words : "";
    const values = panel.lines.map((l, i) => [l.name, u.data[i + 1][index]]).filter(([, v]) => v !== null && v !== undefined)
      .map(([name, v]) => (name ? name + " " : "") + number(v));
    return at(plot, u.data[0][index]) + ": " + values.join(", ") + unit;
  }

  function readingOf(plot, from, to) {
    const { u, panel } = plot, x = u.data[0];
    const unit = panel.unit_words ? " " + panel.unit_words : "";
    const parts = panel.lines.map((l, i) => {
      const inside = u.data[i + 1].filter((v, k) => v !== null && v !== undefined && x[k] >= from && x[k] <= to);
      if (!inside.length) return "";
      const low = inside.reduce((a, b) => Math.min(a, b)), high = inside.reduce((a, b) => Math.max(a, b));
      return (l.name ? l.name + " " : "") + number(low) + " to " + number(high);
    }).filter(Boolean);
    const long = (to - from) / plot.unit[0];
    return at(plot, from) + " to " + at(plot, to) + " (" + number(long) + " " + plot.unit[1] + "): " + (parts.join(", ") || "no values") + unit;
  }

  // One pointer, mouse or finger: dragging marks a part; with shift it moves the time axis.
  function brush(plot, reading, done) {
    const { u, group } = plot;
    let start = null, range = null;
    const place = (event) => Math.max(0, Math.min(u.over.clientWidth, event.clientX - u.over.getBoundingClientRect().left));
    u.over.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      start = place(event);
      range = event.shiftKey ? [u.scales.x.min, u.scales.x.max] : null;
      u.over.setPointerCapture(event.pointerId);
    });
    u.over.addEventListener("pointermove", (event) => {
      if (start === null) return;
      const now = place(event);
      if (range) {
        const by = (start - now) / u.over.clientWidth * (range[1] - range[0]);
        const shift = Math.max(group.low - range[0], Math.min(group.high - range[1], by));
        move(group, range[0] + shift, range[1] + shift);
        return;
      }
      if (Math.abs(now - start) < 3) return;
      plot.brushing = true;
      const left = Math.min(start, now), width = Math.abs(now - start);
      for (const each of group.plots) each.u.setSelect({ left, width, top: 0, height: each.u.over.clientHeight }, false);
      reading.textContent = readingOf(plot, u.posToVal(left, "x"), u.posToVal(left + width, "x"));
    });
    const end = () => {
      if (plot.brushing) done(u.posToVal(u.select.left, "x"), u.posToVal(u.select.left + u.select.width, "x"));
      start = range = null;
      setTimeout(() => { plot.brushing = false; }, 0);
    };
    u.over.addEventListener("pointerup", end);
    u.over.addEventListener("pointercancel", end);
  }

  // Read the next or the last value by keyboard.
  function step(plot, by) {
    const { u } = plot;
    const x = u.data[0], view = u.scales.x;
    let index = plot.at === undefined ? x.findIndex((v) => v >= view.min) - (by > 0 ? 1 : 0) : plot.at;
    index = Math.max(0, Math.min(x.length - 1, index + by));
    plot.at = index;
    plot.stepping = true;
    u.setCursor({ left: u.valToPos(x[index], "x"), top: 10 });
    plot.stepping = false;
    plot.reading = readingAt(plot, index);
    u.root.closest(".live").querySelector("output").textContent = plot.reading;
  }

  function shade(u, panel, zero) {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    let taken = -Infinity;
    for (const mark of panel.marks || []) {
      const left = u.valToPos(mark.start + zero, "x", true), right = u.valToPos(mark.end + zero, "x", true);
      const tint = colour(mark.colour || "b");
      ctx.fillStyle = tint + "2e";
      ctx.fillRect(left, bbox.top, Math.max(right - left, 2), bbox.height);
      ctx.fillStyle = tint;
      ctx.font = 12 * devicePixelRatio + "px system-ui";
      ctx.textBaseline = "top";
      ctx.textAlign = "left";
      const need = ctx.measureText(mark.text || "").width;
      const begin = Math.max(Math.min(Math.max(left, bbox.left), bbox.left + bbox.width - need - 4), bbox.left);
      if (mark.text && begin > taken && right > bbox.left && left < bbox.left + bbox.width) {
        ctx.fillText(mark.text, begin + 3, bbox.top + 2);
        taken = begin + need + 8;
      }
    }
    ctx.restore();
  }

  function nameLines(u, panel, room, zero) {
    const { ctx, bbox } = u, pixel = devicePixelRatio;
    ctx.save();
    const dashed = (x0, y0, x1, y1, dash, tint) => {
      ctx.strokeStyle = colour(tint);
      ctx.lineWidth = pixel;
      ctx.setLineDash(dash.map((d) => d * pixel));
      ctx.beginPath();
      ctx.moveTo(x0, y0);
      ctx.lineTo(x1, y1);
      ctx.stroke();
    };
    if (panel.now !== undefined && panel.now !== null) {
      const x = u.valToPos(panel.now + zero, "x", true);
      if (x >= bbox.left && x <= bbox.left + bbox.width) dashed(x, bbox.top, x, bbox.top + bbox.height, [2, 3], "soft");
    }
    if (panel.level !== undefined && panel.level !== null) {
      const y = u.valToPos(panel.level, "y", true);
      dashed(bbox.left, y, bbox.left + bbox.width, y, [6, 4], "ink");
    }
    if (room > 10) {
      const ends = panel.lines.map((line, i) => {
        const x = u.data[0], y = u.data[i + 1], view = u.scales.x;
        for (let k = x.length - 1; k >= 0; k--) {
          if (x[k] <= view.max && y[k] !== null && y[k] !== undefined) return { line, y: u.valToPos(y[k], "y", true) };
        }
        return null;
      }).filter((end) => end && end.line.name).sort((a, b) => a.y - b.y);
      ctx.font = 12 * pixel + "px system-ui";
      ctx.textBaseline = "middle";
      ctx.textAlign = "left";
      let next = bbox.top;
      ends.forEach((end, i) => {
        const latest = bbox.top + bbox.height - (ends.length - 1 - i) * 13 * pixel;
        const y = Math.min(Math.max(end.y, next), latest);
        next = y + 13 * pixel;
        ctx.fillStyle = colour(end.line.colour || "a");
        ctx.fillText(end.line.name, bbox.left + bbox.width + 5 * pixel, y, (room - 6) * pixel);
      });
    }
    ctx.restore();
  }

  for (const figure of document.querySelectorAll("figure.moves")) {
    try {
      setUp(figure);
    } catch (error) {
      figure.classList.remove("has-live");
      figure.querySelectorAll(".live").forEach((made) => made.remove());
      console.error(error);
    }
  }
})();
