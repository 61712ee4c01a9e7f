"use strict";
// Draws the page of `terrarium report` from the numbers in the element "data". All text goes in by textContent.

const trace = JSON.parse(document.getElementById("data").textContent);
const [NAME, COUNT, BUSY, LONGEST, GUEST, CATEGORY, REASON, DEVICE] = [0, 1, 2, 3, 4, 5, 6, 7];
const COLOURS = 8, CPU_TRACK = 1000000;

function add(parent, tag, text, className) {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    if (className) element.className = className;
    parent.appendChild(element);
    return element;
}

function byId(id) {
    return document.getElementById(id);
}

function time(us) {
    if (us >= 1e6) return (us / 1e6).toFixed(2) + " s";
    if (us >= 1e3) return (us / 1e3).toFixed(2) + " ms";
    return us.toFixed(us < 10 ? 2 : 1) + " µs";
}

function count(n) {
    return n.toLocaleString("en");
}

function sum(rows, column) {
    return rows.reduce((total, row) => total + row[column], 0);
}

// ---- Colours: the kinds of exit that cost most have one each, as do the kinds of the guest's own events ----

const exits = trace.kinds.filter(kind => kind[CATEGORY] === "exit").sort((a, b) => b[BUSY] - a[BUSY]);
const told = trace.kinds.filter(kind => kind[CATEGORY] !== "exit").sort((a, b) => b[BUSY] - a[BUSY]);
const colourOf = new Map();
for (const kinds of [exits, told.filter(kind => kind[NAME] !== "idle")])
    kinds.slice(0, COLOURS).forEach((kind, i) => colourOf.set(kind, i));

function colour(kind) {
    const style = getComputedStyle(document.documentElement);
    return style.getPropertyValue(colourOf.has(kind) ? "--c" + colourOf.get(kind) : "--rest");
}

// ---- Numbers at the top ----

function showNumbers() {
    const all = sum(exits, COUNT), busy = sum(exits, BUSY), guest = sum(exits, GUEST);
    const number = (value, what) => {
        const box = add(byId("numbers"), "div");
        add(box, "b", value);
        add(box, "span", what);
    };
    byId("file").textContent = trace.file;
    number(time(trace.length), "from the first event to the last");
    number(count(all), trace.every > 1 ? "exits recorded, every " + trace.every + "th" : "exits");
    number(time(busy), "in their handlers");
    number(all ? time(busy / all) : "-", "for each");
    if (guest) number(time(guest), "in the guest, or asleep");
    if (told.length) number(count(sum(told, COUNT)), "events that the guest told");
    for (const [n, why] of [[trace.dropped, "are missing: the guest was faster than the file"],
                            [trace.over_limit, "are missing: they came after --trace-limit"],
                            [trace.lost, "of the guest's own were lost"]])
        if (n) add(byId("warnings"), "p", count(n) + " events " + why + ".", "warning");
}

// ---- Tables ----

function table(parent, heads) {
    const element = add(parent, "table"), row = add(add(element, "thead"), "tr");
    for (const head of heads) add(row, "th", head, /^(how|time|each|longest|exits)/.test(head) ? "n" : "");
    return add(element, "tbody");
}

function bar(row, share, fill) {
    const span = add(add(row, "td", undefined, "bar"), "span");
    span.style.width = Math.max(0, Math.min(100, 100 * share)) + "%";
    span.style.background = fill;
}

function named(row, kind) {
    const cell = add(row, "td");
    add(cell, "i").style.background = colourOf.has(kind) ? `var(--c${colourOf.get(kind)})` : "var(--rest)";
    cell.append(kind[NAME]);
}

function showKinds(parent, kinds, what) {
    const body = table(parent, [what, "how often", "time", "each", "longest", "share of the time"]), all = sum(kinds, BUSY) || 1;
    for (const kind of kinds.slice(0, 60)) {
        const row = add(body, "tr");
        named(row, kind);
        for (const text of [count(kind[COUNT]), time(kind[BUSY]), time(kind[BUSY] / kind[COUNT]), time(kind[LONGEST])])
            add(row, "td", text, "n");
        bar(row, kind[BUSY] / all, colourOf.has(kind) ? `var(--c${colourOf.get(kind)})` : "var(--rest)");
    }
}

// The same kinds, added up by reason or by device.
function grouped(column) {
    const groups = new Map();
    for (const kind of exits) {
        const name = kind[column] || "no device";
        if (!groups.has(name)) groups.set(name, [name, 0, 0, 0, 0]);
        const group = groups.get(name);
        group[COUNT] += kind[COUNT];
        group[BUSY] += kind[BUSY];
        group[LONGEST] = Math.max(group[LONGEST], kind[LONGEST]);
    }
    return [...groups.values()].sort((a, b) => b[BUSY] - a[BUSY]);
}

function showTables() {
    showKinds(byId("exits"), exits, "exit");
    for (const [column, title] of [[REASON, "By reason"], [DEVICE, "By device"]]) {
        add(byId("devices"), "h2", title);
        showKinds(add(byId("devices"), "div", undefined, "wide"), grouped(column), column === REASON ? "reason" : "device");
    }
    const body = table(byId("places"), ["function", "exits", "time", "share of the time"]), all = sum(exits, BUSY) || 1;
    for (const place of trace.places) {
        const row = add(body, "tr");
        add(row, "td", place[NAME], "mono");
        add(row, "td", count(place[COUNT]), "n");
        add(row, "td", time(place[BUSY]), "n");
        bar(row, place[BUSY] / all, "var(--c0)");
    }
    const titles = {syscall: "The guest's system calls", switch: "Who had the guest's CPU", fault: "The guest's faults",
                    interrupt: "The guest's interrupts"};
    for (const [category, title] of Object.entries(titles)) {
        const kinds = told.filter(kind => kind[CATEGORY] === category);
        if (!kinds.length) continue;
        add(byId("guest"), "h2", title);
        showKinds(add(byId("guest"), "div", undefined, "wide"), kinds, category);
    }
}

function showConsole() {
    const body = table(byId("console"), ["at", "line", "exits", "time", "most of them"]);
    for (const [at, text, n, busy, most, mostCount] of trace.lines) {
        const row = add(body, "tr");
        add(row, "td", time(at), "n");
        add(row, "td", text, "mono");
        add(row, "td", count(n), "n");
        add(row, "td", time(busy), "n");
        if (!n) add(row, "td", "");
        else {
            named(row, trace.kinds[most]);
            row.lastChild.append(" × " + count(mostCount));
        }
    }
    if (trace.lines_missing) add(byId("console"), "p", count(trace.lines_missing) + " later lines are not shown.");
}

// ---- The timeline ----

const canvas = byId("timeline"), ROW = 34, LEFT = 190, AXIS = 34;
let from = 0, span = Math.max(trace.length, 1);

// A track is worth a row if it has slices; vCPUs first, then the guest's CPUs, then its processes.
function usedTracks() {
    const used = new Set();
    for (let i = 0; i < trace.slices.length; i += 5) used.add(trace.slices[i]);
    return [...used].sort((a, b) => {
        const [p, q] = [trace.tracks[a], trace.tracks[b]];
        return p[0] - q[0] || (q[1] >= CPU_TRACK) - (p[1] >= CPU_TRACK) || p[1] - q[1];
    });
}

const rows = usedTracks(), rowOf = new Map(rows.map((track, row) => [track, row]));

// After a reset there is another machine in the trace.
function trackName([process, , name]) {
    return process > 2 ? name + ", start " + Math.ceil(process / 2) : name;
}

// A round distance between the marks of the axis: 1, 2 or 5 times a power of ten.
function step(width) {
    const rough = span / Math.max(1, width / 160), power = 10 ** Math.floor(Math.log10(rough));
    return [1, 2, 5, 10].find(n => n * power >= rough) * power;
}

function drawAxis(pen, width, style) {
    const distance = step(width);
    pen.fillStyle = style.getPropertyValue("--soft");
    pen.strokeStyle = style.getPropertyValue("--line");
    for (let mark = Math.ceil(from / distance) * distance; mark < from + span; mark += distance) {
        const x = LEFT + (mark - from) / span * width;
        pen.beginPath();
        pen.moveTo(x, 0);
        pen.lineTo(x, rows.length * ROW + 6);
        pen.stroke();
        if (x < LEFT + width - 90) pen.fillText(time(mark), x + 4, rows.length * ROW + AXIS - 10);
    }
}

function drawSlices(pen, width) {
    const colours = trace.kinds.map(colour), s = trace.slices;
    for (let i = 0; i < s.length; i += 5) {
        const x = (s[i + 2] - from) / span * width, length = s[i + 3] / span * width;
        if (x > width || x + length < 0) continue;
        const begin = Math.max(0, x), end = Math.min(width, x + length), level = trace.kinds[s[i + 1]][CATEGORY];
        const inset = level === "fault" || level === "interrupt" ? 10 : 4; // they lie within other slices
        pen.fillStyle = colours[s[i + 1]];
        pen.fillRect(LEFT + begin, rowOf.get(s[i]) * ROW + inset, Math.max(1, end - begin), ROW - 2 * inset);
    }
}

function draw() {
    const scale = devicePixelRatio || 1, style = getComputedStyle(document.documentElement);
    const width = canvas.clientWidth - LEFT - 10, height = rows.length * ROW + AXIS;
    canvas.style.height = height + "px";
    canvas.width = canvas.clientWidth * scale;
    canvas.height = height * scale;
    const pen = canvas.getContext("2d");
    pen.scale(scale, scale);
    pen.font = "16px system-ui, sans-serif";
    drawAxis(pen, width, style);
    drawSlices(pen, width);
    pen.fillStyle = style.getPropertyValue("--card");
    pen.fillRect(0, 0, LEFT - 2, height);
    pen.fillStyle = style.getPropertyValue("--text");
    rows.forEach((track, row) => pen.fillText(trackName(trace.tracks[track]), 12, row * ROW + 23, LEFT - 24));
}

function look(newFrom, newSpan) {
    span = Math.min(trace.length || 1, Math.max(newSpan, 0.05));
    from = Math.max(0, Math.min(newFrom, trace.length - span));
    draw();
}

function zoom(factor, share) {
    look(from + span * share * (1 - factor), span * factor);
}

function timeAt(event) {
    return (event.offsetX - LEFT) / (canvas.clientWidth - LEFT - 10);
}

// What lies under the pointer: the shortest slice there.
function describe(event) {
    const at = from + timeAt(event) * span, near = span / 1000, track = rows[Math.floor(event.offsetY / ROW)], s = trace.slices;
    let best = -1;
    for (let i = 0; i < s.length; i += 5)
        if (s[i] === track && at >= s[i + 2] - near && at <= s[i + 2] + s[i + 3] + near && (best < 0 || s[i + 3] < s[best + 3]))
            best = i;
    const many = best >= 0 && s[best + 4] > 1 ? count(s[best + 4]) + " × " : "";
    byId("about").textContent = best < 0 ? time(Math.max(0, at))
        : `${time(s[best + 2])}: ${many}${trace.kinds[s[best + 1]][NAME]}, ${time(s[best + 3])}`;
}

function listen() {
    let dragged = null;
    canvas.addEventListener("wheel", event => {
        event.preventDefault();
        zoom(event.deltaY > 0 ? 1.25 : 0.8, Math.max(0, timeAt(event)));
    }, {passive: false});
    canvas.addEventListener("pointerdown", event => {
        dragged = [event.offsetX, from];
        canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointerup", () => dragged = null);
    canvas.addEventListener("pointermove", event => {
        if (dragged) look(dragged[1] - (event.offsetX - dragged[0]) / (canvas.clientWidth - LEFT - 10) * span, span);
        else describe(event);
    });
    canvas.addEventListener("dblclick", () => look(0, trace.length));
    canvas.addEventListener("keydown", event => {
        const keys = {"+": () => zoom(0.5, 0.5), "-": () => zoom(2, 0.5), "0": () => look(0, trace.length),
                      ArrowLeft: () => look(from - span / 4, span), ArrowRight: () => look(from + span / 4, span)};
        if (!keys[event.key]) return;
        event.preventDefault();
        keys[event.key]();
    });
    addEventListener("resize", draw);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
}

function showKey() {
    for (const [title, kinds] of [["Exits:", exits], ["In the guest:", told]]) {
        const shown = kinds.filter(kind => colourOf.has(kind));
        if (shown.length) add(byId("key"), "b", title);
        for (const kind of shown) {
            const item = add(byId("key"), "span");
            add(item, "i").style.background = `var(--c${colourOf.get(kind)})`;
            item.append(kind[NAME]);
        }
    }
    if (trace.merged) add(byId("key"), "span", "Bars nearer than " + time(trace.merged) + " were put together, the sum at their beginning.");
}

showNumbers();
showTables();
showConsole();
showKey();
listen();
draw();
document.documentElement.dataset.ready = "yes";
