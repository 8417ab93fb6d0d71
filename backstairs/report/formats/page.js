
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

  const badge = (verdict, says) =>
    make("span", { class: `verdict ${verdict}` }, `${SIGN[verdict]} ${says || SAYS[verdict]}`);

  function reasons(numbers) {
    const list = make("ol");
    for (const number of numbers) {
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
        ...lacking(decision), reasons(decision[1])));
    }
  }

  const lacking = (decision) => decision[2].length
    ? [make("p", null, `depends on: ${decision[2].join("; ")}`)] : [];

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

  // An origin is a client in a network (c3) or a way in by itself (e1): an endpoint, the internet.
  const REACH = { "reachable": "allowed", "not reachable": "refused", "unknown": "unknown" };
  const originName = (origin) =>
    (origin[0] === "c" ? data.clients : data.entrances)[Number(origin.slice(1))].name;
  const waysOf = (origin) => origin[0] === "c"
    ? data.clients[Number(origin.slice(1))].ways
    : [{ entrance: Number(origin.slice(1)), verdict: "reachable", reasons: [] }];
  const isOpen = (way) => way.verdict !== "not reachable";

  function drawMap() {
    const given = new FormData(ends);
    const caller = callerOf(), from = given.get("from"), to = given.get("to");
    const open = waysOf(from).filter(isOpen).map((way) => way.entrance);
    const numbered = data.entrances.map((one, number) => ({ id: `e${number}`, number, ...one }));
    const endpoints = numbered.filter((one) => one.endpoint);
    const origins = [
      ...data.clients.map((one, number) => ({ id: `c${number}`, ...one })),
      ...numbered.filter((one) => !one.endpoint),
    ];
    const columns = [
      ["Origins", origins],
      ["Endpoints", endpoints],
      ["APIs", data.apis.map((one, number) => ({ id: `a${number}`, name: one.name }))],
      ["Functions", functions.map((name) => ({ id: name, name }))],
    ];
    const width = 220, gap = 90, height = 34, step = 50, top = 44;
    const most = Math.max(...columns.map(([, boxes]) => boxes.length), 1);
    const whole = columns.length * width + (columns.length - 1) * gap + 40;
    const svg = draw("svg", {
      viewBox: `0 0 ${whole} ${top + most * step + 10}`, role: "group",
      "aria-label": "Ways from origins to functions",
    });
    const at = (column, id) => {
      const row = columns[column][1].findIndex((one) => one.id === id);
      return [20 + column * (width + gap), top + row * step];
    };
    const line = (one, other, verdict, dim) => {
      const [x, y] = [one[0] + width, one[1] + height / 2];
      const [u, v] = [other[0], other[1] + height / 2];
      svg.append(draw("path", {
        d: `M${x} ${y} C${x + gap / 2} ${y} ${u - gap / 2} ${v} ${u} ${v}`,
        class: `${verdict}${dim ? " dim" : ""}`,
      }));
    };
    data.clients.forEach((one, number) => one.ways.forEach((way) => {
      line(at(0, `c${number}`), at(1, `e${way.entrance}`), REACH[way.verdict], `c${number}` !== from);
    }));
    numbered.forEach((one) => data.apis.forEach((_, api) => {
      const verdict = widest(caller, one.number, (asked) => asked.api === api);
      const start = at(one.endpoint ? 1 : 0, one.id);
      if (verdict) line(start, at(2, `a${api}`), verdict, !open.includes(one.number));
    }));
    data.apis.forEach((_, api) => functions.forEach((name) => {
      const found = open
        .map((entrance) => widest(caller, entrance, (one) => one.api === api && one.function === name))
        .filter(Boolean).sort((one, other) => RANK[other] - RANK[one]);
      if (found.length) line(at(2, `a${api}`), at(3, name), found[0], name !== to);
    }));
    columns.forEach(([title, boxes], column) => {
      svg.append(draw("text", { x: 20 + column * (width + gap), y: 22, class: "column" }, title));
      for (const { id, name } of boxes) {
        const [x, y] = at(column, id);
        const isChosen = id === from || (column === 3 && id === to);
        const box = draw("g", { class: `box${isChosen ? " chosen" : ""}`, "data-id": id, "data-name": name });
        box.append(draw("rect", { x, y, width, height, rx: 6 }));
        box.append(draw("text", { x: x + 10, y: y + 22 }, name.length > 28 ? `${name.slice(0, 27)}…` : name));
        box.append(draw("title", {}, name));
        svg.append(box);
      }
    });
    $("drawing").replaceChildren(svg);
    explainWay(caller, from, to);
  }

  function explainWay(caller, from, to) {
    const panel = $("why");
    panel.replaceChildren(
      make("h2", null, `${originName(from)} to ${to}`),
      make("p", null, `Caller: ${data.callers[caller].name}`),
    );
    const ways = waysOf(from);
    if (!ways.length) panel.append(make("p", null, "It reaches no endpoint of this template."));
    for (const way of ways) {
      const entrance = data.entrances[way.entrance];
      if (from[0] === "c") {
        panel.append(make("div", { class: "way" },
          make("p", null, badge(REACH[way.verdict], way.verdict), ` ${entrance.name}`), reasons(way.reasons)));
      }
      if (isOpen(way)) explainCalls(panel, caller, way.entrance, to);
    }
  }

  function explainCalls(panel, caller, entrance, to) {
    data.questions.forEach((one, number) => {
      const decision = one.function === to ? decisionAt(number, entrance, caller) : null;
      if (!decision) return;
      const shown = decision[0] === "allowed" ? decision[1] : decision[1].slice(-1);
      panel.append(make("div", { class: "way" },
        make("p", null, badge(decision[0]), ` ${one.label} of ${data.apis[one.api].name}`),
        ...lacking(decision), reasons(shown)));
    });
  }

  $("drawing").addEventListener("click", (event) => {
    const box = event.target.closest(".box");
    if (!box) return;
    const { id } = box.dataset;
    const field = functions.includes(id) ? ends.elements.to : ends.elements.from;
    if (![...field.options].some((one) => one.value === id)) return;
    field.value = id;
    follow(field);
    drawMap();
  });

  // A function that is chosen as origin calls as itself, unless somebody else is then chosen.
  function follow(field) {
    if (field.name !== "from" || field.value[0] !== "c") return;
    const caller = data.callers.findIndex((one) => one.name === originName(field.value));
    if (caller >= 0) ends.elements.caller.value = String(caller);
  }

  // ---- the page

  function show(map) {
    $("matrix").hidden = map;
    $("map").hidden = !map;
    $("show-matrix").setAttribute("aria-pressed", String(!map));
    $("show-map").setAttribute("aria-pressed", String(map));
    $("why").replaceChildren(make("p", { class: "soft" }, map ? "" : "Choose a cell: its reasons stand here."));
    if (!map || !data.questions.length) return;
    follow(ends.elements.from);
    drawMap();
  }

  const option = (value, text) => make("option", { value }, text);
  $("of").textContent = `${data.file}, ${data.where}`;
  $("summary").textContent = data.summary;
  filter.elements.entrance.append(option(ANYWHERE, "anywhere"),
    ...data.entrances.map((one, number) => option(number, one.name)));
  ends.elements.caller.append(...data.callers.map((one, number) => option(number, one.name)));
  ends.elements.from.append(
    ...data.clients.map((one, number) => option(`c${number}`, one.name)),
    ...data.entrances.map((one, number) => option(`e${number}`, one.name)));
  ends.elements.to.append(...functions.map((name) => option(name, name)));
  for (const [title, items] of data.besides) {
    $("besides").append(make("h2", null, title), make("ul", null, ...items.map((one) => make("li", null, one))));
  }
  filter.addEventListener("submit", (event) => event.preventDefault());
  filter.addEventListener("input", drawMatrix);
  ends.addEventListener("change", (event) => { follow(event.target); drawMap(); });
  $("show-matrix").addEventListener("click", () => show(false));
  $("show-map").addEventListener("click", () => show(true));
  show(false);
  drawMatrix();
})();

