
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const SIGN = { allowed: "✓", refused: "✗", unknown: "?" };
  const SAYS = { allowed: "may call", refused: "may not", unknown: "unknown" };
  const RANK = { allowed: 2, unknown: 1, refused: 0 };
  const $ = (id) => document.getElementById(id);
  const ANYWHERE = "any";

  // An element with attributes and children; text is always text, never markup.
  function make(name, attributes, ...children) {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) node.setAttribute(key, value);
    node.append(...children);
    return node;
  }

  const decisionAt = (question, entrance, caller) => {
    const number = data.cells[question][entrance][caller];
    return number < 0 ? null : data.decisions[number];
  };

  // The verdict of a route for a caller from one entrance, or the widest of all entrances.
  function verdictOf(question, entrance, caller) {
    if (entrance !== ANYWHERE) {
      const decision = decisionAt(question, entrance, caller);
      return decision && decision[0];
    }
    let widest = null;
    for (let number = 0; number < data.entrances.length; number++) {
      const decision = decisionAt(question, number, caller);
      if (decision && (widest === null || RANK[decision[0]] > RANK[widest])) widest = decision[0];
    }
    return widest;
  }

  // ---- the matrix

  const filter = $("filter");
  const table = $("table");
  let chosen = null;

  function wanted() {
    const given = new FormData(filter);
    const from = given.get("entrance");
    return {
      route: given.get("route").trim().toLowerCase(),
      caller: given.get("caller").trim().toLowerCase(),
      entrance: from === ANYWHERE ? ANYWHERE : Number(from),
      verdict: given.get("verdict"),
    };
  }

  let drawing = 0;
  function drawMatrix() {
    const run = ++drawing;
    const { route, caller, entrance, verdict } = wanted();
    const named = (one, text) => !text || one.toLowerCase().includes(text);
    let columns = data.callers.map((_, number) => number);
    columns = columns.filter((number) => named(data.callers[number].name, caller));
    let rows = data.questions.map((_, number) => number);
    rows = rows.filter((number) => {
      const one = data.questions[number];
      return named(`${one.label} ${data.apis[one.api].name}`, route);
    });
    const found = new Map();
    for (const row of rows) found.set(row, columns.map((column) => verdictOf(row, entrance, column)));
    if (verdict) {
      rows = rows.filter((row) => found.get(row).includes(verdict));
      const kept = columns.map((_, at) => rows.some((row) => found.get(row)[at] === verdict));
      for (const row of rows) found.set(row, found.get(row).filter((_, at) => kept[at]));
      columns = columns.filter((_, at) => kept[at]);
    }
    const head = make("tr", null, make("th", { scope: "col" }, "Route"));
    for (const column of columns) {
      const { name, says } = data.callers[column];
      head.append(make("th", { scope: "col", title: `${name}: ${says}` }, make("span", null, name)));
    }
    table.tHead.replaceChildren(head);
    const body = table.tBodies[0];
    body.replaceChildren();
    let admitted = 0;
    for (const row of rows) for (const one of found.get(row)) if (one === "allowed") admitted++;
    $("count").textContent = rows.length && columns.length
      ? `${rows.length} routes, ${columns.length} callers, ${admitted} may call`
      : "nothing matches";
    // A slice at a time, so that the page answers while a large matrix is drawn.
    let next = 0, api = -1, first = true;
    function slice() {
      if (run !== drawing) return;
      const until = performance.now() + 12;
      const part = document.createDocumentFragment();
      while (next < rows.length && performance.now() < until) {
        const row = rows[next++];
        const question = data.questions[row];
        if (question.api !== api) {
          api = question.api;
          const line = make("th", { scope: "rowgroup", colspan: columns.length + 1 }, data.apis[api].line);
          part.append(make("tr", { class: "api" }, line));
        }
        const line = make("tr", null, make("th", { scope: "row", title: question.source }, question.label));
        found.get(row).forEach((one, at) => {
          const cell = make("td", { class: one || "none" }, one ? SIGN[one] : "–");
          if (one) {
            cell.dataset.at = `${row} ${columns[at]}`;
            cell.tabIndex = first ? 0 : -1;
            first = false;
            cell.setAttribute("aria-label", `${data.callers[columns[at]].name}: ${SAYS[one]}`);
          }
          line.append(cell);
        });
        part.append(line);
      }
      body.append(part);
      if (next < rows.length) requestAnimationFrame(slice);
      else table.dataset.drawn = String(run);
    }
    slice();
  }

  function choose(cell) {
    if (chosen) chosen.classList.remove("chosen");
    chosen = cell;
    cell.classList.add("chosen");
    const [question, caller] = cell.dataset.at.split(" ").map(Number);
    const { entrance } = wanted();
    const ways = entrance === ANYWHERE ? data.entrances.map((_, number) => number) : [entrance];
    explain(question, caller, ways);
  }

  table.addEventListener("click", (event) => {
    const cell = event.target.closest("td[data-at]");
    if (cell) { focusCell(cell); choose(cell); }
  });

  function focusCell(cell) {
    for (const other of table.querySelectorAll('td[tabindex="0"]')) other.tabIndex = -1;
    cell.tabIndex = 0;
    cell.focus();
  }

  const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  table.addEventListener("keydown", (event) => {
    const cell = event.target.closest("td[data-at]");
    if (!cell) return;
    if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choose(cell); return; }
    const step = STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    let row = cell.parentElement, at = cell.cellIndex;
    for (;;) {
      if (step[0]) row = step[0] > 0 ? row.nextElementSibling : row.previousElementSibling;
      else at += step[1];
      if (!row || at < 1 || at > table.tHead.rows[0].cells.length - 1) return;
      const other = row.cells[at];
      if (other && other.dataset.at) { focusCell(other); return; }
    }
  });

  // ---- the reasons

  const badge = (verdict) => make("span", { class: `verdict ${verdict}` }, `${SIGN[verdict]} ${SAYS[verdict]}`);

  function reasons(decision) {
    const list = make("ol");
    for (const number of decision[1]) {
      const [text, source, rule] = data.reasons[number];
      const [name, says, known, where] = data.rules[rule];
      const item = make("li", null, text);
      if (source) item.append(make("div", { class: "soft source" }, source));
      const how = make("div", { class: "soft", title: says }, `${name}: ${known}`);
      if (where) how.append(", ", make("a", { href: where, rel: "noreferrer" }, "read it"));
      item.append(how);
      list.append(item);
    }
    return list;
  }

  function explain(question, caller, ways) {
    const asked = data.questions[question];
    const panel = $("why");
    panel.replaceChildren(
      make("h2", null, asked.label),
      make("p", null, `${data.apis[asked.api].name}; asks for ${asked.asks}; behind it: ${asked.function}`),
      make("p", { class: "soft" }, asked.source),
      make("p", null, `Caller: ${data.callers[caller].name}`),
      make("p", { class: "soft" }, [data.callers[caller].says, data.callers[caller].source].filter(Boolean).join(", ")),
    );
    for (const way of ways) {
      const decision = decisionAt(question, way, caller);
      if (!decision) continue;
      const entrance = data.entrances[way];
      panel.append(make("div", { class: "way" },
        make("p", null, badge(decision[0]), ` from ${entrance.name}`),
        ...(entrance.assumes ? [make("p", { class: "soft" }, `assumed: ${entrance.assumes}`)] : []),
        reasons(decision)));
    }
  }

  // ---- the map

  const ends = $("ends");
  const SVG = "http://www.w3.org/2000/svg";
  const functions = [...new Set(data.questions.map((one) => one.function))];
  const callerOf = () => Number(new FormData(ends).get("caller"));

  function draw(name, attributes, text) {
    const node = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    if (text !== undefined) node.textContent = text;
    return node;
  }

  // The widest verdict of a caller from an entrance, over the questions that are meant.
  function widest(caller, entrance, meant) {
    let best = null;
    data.questions.forEach((one, number) => {
      if (!meant(one)) return;
      const verdict = verdictOf(number, entrance, caller);
      if (verdict && (best === null || RANK[verdict] > RANK[best])) best = verdict;
    });
    return best;
  }

  function drawMap() {
    const given = new FormData(ends);
    const caller = callerOf(), from = Number(given.get("from")), to = given.get("to");
    const columns = [
      ["Origins and endpoints", data.entrances.map((one) => one.name)],
      ["APIs", data.apis.map((one) => one.name)],
      ["Functions", functions],
    ];
    const width = 240, gap = 130, height = 34, step = 50, top = 44;
    const most = Math.max(...columns.map(([, names]) => names.length), 1);
    const whole = columns.length * width + (columns.length - 1) * gap + 40;
    const svg = draw("svg", {
      viewBox: `0 0 ${whole} ${top + most * step + 10}`, role: "group", "aria-label": "Ways from origins to functions",
    });
    const at = (column, row) => [20 + column * (width + gap), top + row * step];
    const line = (one, other, verdict, dim) => {
      const [x, y] = [one[0] + width, one[1] + height / 2];
      const [u, v] = [other[0], other[1] + height / 2];
      svg.append(draw("path", {
        d: `M${x} ${y} C${x + gap / 2} ${y} ${u - gap / 2} ${v} ${u} ${v}`,
        class: `${verdict}${dim ? " dim" : ""}`,
      }));
    };
    data.entrances.forEach((_, entrance) => data.apis.forEach((_, api) => {
      const verdict = widest(caller, entrance, (one) => one.api === api);
      if (verdict) line(at(0, entrance), at(1, api), verdict, entrance !== from);
    }));
    data.apis.forEach((_, api) => functions.forEach((name, number) => {
      const verdict = widest(caller, from, (one) => one.api === api && one.function === name);
      if (verdict) line(at(1, api), at(2, number), verdict, name !== to);
    }));
    columns.forEach(([title, names], column) => {
      svg.append(draw("text", { x: at(column, 0)[0], y: 22, class: "column" }, title));
      names.forEach((name, row) => {
        const [x, y] = at(column, row);
        const isChosen = column === 0 ? row === from : column === 2 && name === to;
        const box = draw("g", { class: `box${isChosen ? " chosen" : ""}`, "data-column": column, "data-name": name, "data-row": row });
        box.append(draw("rect", { x, y, width, height, rx: 6 }));
        box.append(draw("text", { x: x + 10, y: y + 22 }, name.length > 31 ? `${name.slice(0, 30)}…` : name));
        box.append(draw("title", {}, name));
        svg.append(box);
      });
    });
    $("drawing").replaceChildren(svg);
    explainWay(caller, from, to);
  }

  function explainWay(caller, from, to) {
    const panel = $("why");
    panel.replaceChildren(
      make("h2", null, `${data.entrances[from].name} to ${to}`),
      make("p", null, `Caller: ${data.callers[caller].name}`),
    );
    data.questions.forEach((one, number) => {
      if (one.function !== to) return;
      const decision = decisionAt(number, from, caller);
      if (!decision) return;
      const last = { ...decision, 1: decision[0] === "allowed" ? decision[1] : decision[1].slice(-1) };
      panel.append(make("div", { class: "way" },
        make("p", null, badge(decision[0]), ` ${one.label} of ${data.apis[one.api].name}`), reasons(last)));
    });
  }

  $("drawing").addEventListener("click", (event) => {
    const box = event.target.closest(".box");
    if (!box) return;
    if (box.dataset.column === "0") ends.elements.from.value = box.dataset.row;
    if (box.dataset.column === "2") ends.elements.to.value = box.dataset.name;
    drawMap();
  });

  // ---- the page

  function show(map) {
    $("matrix").hidden = map;
    $("map").hidden = !map;
    $("show-matrix").setAttribute("aria-pressed", String(!map));
    $("show-map").setAttribute("aria-pressed", String(map));
    $("why").replaceChildren(make("p", { class: "soft" }, map ? "" : "Choose a cell: its reasons stand here."));
    if (map && data.questions.length) drawMap();
  }

  const option = (value, text) => make("option", { value }, text);
  $("of").textContent = `${data.file}, ${data.where}`;
  $("summary").textContent = data.summary;
  filter.elements.entrance.append(option(ANYWHERE, "anywhere"),
    ...data.entrances.map((one, number) => option(number, one.name)));
  ends.elements.caller.append(...data.callers.map((one, number) => option(number, one.name)));
  ends.elements.from.append(...data.entrances.map((one, number) => option(number, one.name)));
  ends.elements.to.append(...functions.map((name) => option(name, name)));
  for (const [title, items] of data.besides) {
    $("besides").append(make("h2", null, title), make("ul", null, ...items.map((one) => make("li", null, one))));
  }
  filter.addEventListener("submit", (event) => event.preventDefault());
  filter.addEventListener("input", drawMatrix);
  ends.addEventListener("change", drawMap);
  $("show-matrix").addEventListener("click", () => show(false));
  $("show-map").addEventListener("click", () => show(true));
  show(false);
  drawMatrix();
})();

