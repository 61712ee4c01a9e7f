"use strict";
// Draws the page of `terrarium report` from the numbers in the element "data". All text goes in by textContent.

const trace = JSON.parse(document.getElementById("data").textContent);
const COLOURS = 8, CPU_TRACK = 1000000, ROWS_SHOWN = 100, KINDS_SHOWN = 60, LINES_SHOWN = 5000;

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

function sum(rows, what) {
    return rows.reduce((total, row) => total + row[what], 0);
}

// What was printed came a byte as a character; the bytes are UTF-8.
function decoded(text) {
    return new TextDecoder().decode(Uint8Array.from(text, c => c.charCodeAt(0)));
}

// ---- The events: when each began, in microseconds since the first, how long it took, what it was, on which track ----

const events = trace.events.length / 4;
const begin = new Float64Array(events), length = new Float64Array(events), kind = new Uint32Array(events), track = new Uint32Array(events);
let first = Infinity, end = 0;

function readEvents() {
    for (let i = 0, at = 0; i < events; i++) {
        at += trace.events[4 * i + 2];
        kind[i] = trace.events[4 * i];
        track[i] = trace.events[4 * i + 1];
        begin[i] = at / 100;
        length[i] = trace.events[4 * i + 3] / 100;
        first = Math.min(first, begin[i]);
    }
    if (!events) first = 0;
    for (let i = 0; i < events; i++) {
        begin[i] -= first;
        end = Math.max(end, begin[i] + length[i]);
    }
    trace.events = null;
}

const names = new Map([["\tall others", "all others"], ...trace.others.filter(event => event.name === "thread_name")
    .map(event => [event.pid + "\t" + event.tid, String(event.args?.name)])]);

// ---- Sums: of all kinds that look the same but for the function, of a function, of a reason, of a device ----

const kinds = trace.texts.map(text => {
    const [category, name, reason, device, place] = text.split("\t");
    return {category, name, reason, device, place, rows: []};
});

// A row of a table for each name that `nameOf` gives to kinds; kinds keep the rows that they add to.
function rowsBy(key, nameOf) {
    const rows = new Map();
    for (const k of kinds) {
        const name = nameOf(k);
        if (name === undefined) continue;
        if (!rows.has(name)) rows.set(name, {name: k[key] || name, category: k.category, count: 0, busy: 0, longest: 0});
        k.rows.push(rows.get(name));
    }
    return rows;
}

readEvents();
const isExit = k => k.category === "exit";
const byName = rowsBy("name", k => k.category + "\t" + k.name);
const byPlace = rowsBy("place", k => isExit(k) && k.place ? k.place : undefined);
const byReason = rowsBy("reason", k => isExit(k) ? k.reason : undefined);
const byDevice = rowsBy("device", k => isExit(k) ? k.device || "no device" : undefined);
for (let i = 0; i < events; i++)
    for (const row of kinds[kind[i]].rows) {
        row.count++;
        row.busy += length[i];
        row.longest = Math.max(row.longest, length[i]);
    }

function sorted(rows) {
    return [...rows.values()].filter(row => row.count).sort((a, b) => b.busy - a.busy);
}

const exits = sorted(byName).filter(isExit), told = sorted(byName).filter(row => !isExit(row));

// ---- Colours: the kinds of exit that cost most have one each, as do the kinds of the guest's own events ----

for (const rows of [exits, told.filter(row => row.name !== "idle")])
    rows.slice(0, COLOURS).forEach((row, i) => row.colour = "--c" + i);

function fill(row) {
    return `var(${row.colour || "--rest"})`;
}

// ---- Numbers at the top ----

// The time between the exits, if they are all in the trace.
function guestTime() {
    const totals = trace.totals, last = new Map();
    let guest = 0;
    if (totals.every > 1 || totals.dropped || totals.over_limit || totals.refused) return 0;
    for (let i = 0; i < events; i++)
        if (isExit(kinds[kind[i]])) {
            guest += last.has(track[i]) ? begin[i] - last.get(track[i]) : 0;
            last.set(track[i], begin[i] + length[i]);
        }
    return guest;
}

function showNumbers() {
    const all = sum(exits, "count"), busy = sum(exits, "busy"), guest = guestTime(), totals = trace.totals;
    const number = (value, what) => {
        const box = add(byId("numbers"), "div");
        add(box, "b", value);
        add(box, "span", what);
    };
    byId("name").textContent = decoded(JSON.parse(byId("file").textContent));
    number(time(end), "from the first event to the last");
    number(count(all), totals.every > 1 ? "exits recorded, every " + totals.every + "th" : "exits");
    number(time(busy), "in their handlers");
    number(all ? time(busy / all) : "-", "for each");
    if (guest) number(time(guest), "in the guest, or asleep");
    if (told.length) number(count(sum(told, "count")), "events that the guest told");
    for (const [n, why] of [[totals.dropped, "are missing: the guest was faster than the file"],
                            [totals.over_limit, "are missing: they came after --trace-limit"],
                            [totals.lost_by_guest, "of the guest's own were lost"]])
        if (n) add(byId("warnings"), "p", count(n) + " events " + why + ".", "warning");
}

// ---- Tables ----

function table(parent, heads) {
    const element = add(parent, "table"), row = add(add(element, "thead"), "tr");
    for (const head of heads) add(row, "th", head, /^(how|time|each|longest|exits)/.test(head) ? "n" : "");
    return add(element, "tbody");
}

function bar(parent, share, background) {
    const span = add(add(parent, "td", undefined, "bar"), "span");
    span.style.width = Math.max(0, Math.min(100, 100 * share)) + "%";
    span.style.background = background;
}

// Cells for numbers.
function cells(line, ...texts) {
    for (const text of texts) add(line, "td", text, "n");
}

function named(parent, row, tag = "td") {
    const cell = add(parent, tag);
    add(cell, "i").style.background = fill(row);
    cell.append(row.name);
}

function showRows(parent, rows, what) {
    const body = table(parent, [what, "how often", "time", "each", "longest", "share of the time"]), all = sum(rows, "busy") || 1;
    for (const row of rows.slice(0, KINDS_SHOWN)) {
        const line = add(body, "tr");
        named(line, row);
        cells(line, count(row.count), time(row.busy), time(row.busy / row.count), time(row.longest));
        bar(line, row.busy / all, fill(row));
    }
}

function section(parent, title, rows, what) {
    if (!rows.length) return;
    add(byId(parent), "h2", title);
    showRows(add(byId(parent), "div", undefined, "wide"), rows, what);
}

function showTables() {
    showRows(byId("exits"), exits, "exit");
    section("devices", "By reason", sorted(byReason), "reason");
    section("devices", "By device", sorted(byDevice), "device");
    showRows(byId("places"), sorted(byPlace), "function");
    const titles = {syscall: "The guest's system calls", switch: "Who had the guest's CPU", fault: "The guest's faults",
                    interrupt: "The guest's interrupts"};
    for (const [category, title] of Object.entries(titles))
        section("guest", title, told.filter(row => row.category === category), category);
}

// ---- The console: its lines, and the exits up to the last byte of each ----

function consoleLines() {
    const lines = [];
    let line = null;
    for (const [at, text] of trace.others.filter(Array.isArray))
        for (const part of text.split(/(?<=\n)/)) {
            if (!line) lines.push(line = {text: "", count: 0, busy: 0, rows: new Map()});
            line.text += part;
            line.at = at - first;
            if (part.endsWith("\n")) line = null;
        }
    return lines;
}

function giveLinesTheirExits(lines) {
    for (let i = 0; i < events; i++) {
        const row = kinds[kind[i]].rows[0];
        let low = 0, high = lines.length;
        while (low < high) {
            const middle = low + high >> 1;
            if (lines[middle].at < begin[i]) low = middle + 1;
            else high = middle;
        }
        if (!isExit(row) || low === lines.length) continue;
        lines[low].count++;
        lines[low].busy += length[i];
        lines[low].rows.set(row, (lines[low].rows.get(row) || 0) + 1);
    }
}

function showConsole() {
    const lines = consoleLines(), body = table(byId("console"), ["at", "line", "exits", "time", "most of them"]);
    giveLinesTheirExits(lines);
    for (const line of lines.slice(0, LINES_SHOWN)) {
        const row = add(body, "tr"), most = [...line.rows].sort((a, b) => b[1] - a[1])[0];
        cells(row, time(line.at));
        add(row, "td", decoded(line.text.replace(/[\r\n]/g, "")), "mono");
        cells(row, count(line.count), time(line.busy));
        if (most) named(row, most[0]);
        else add(row, "td", "");
        if (most) row.lastChild.append(" × " + count(most[1]));
    }
    if (lines.length > LINES_SHOWN) add(byId("console"), "p", count(lines.length - LINES_SHOWN) + " later lines are not shown.");
}

// ---- The timeline ----

const canvas = byId("timeline"), ROW = 34, LEFT = 190, AXIS = 34;
let from = 0, span = Math.max(end, 1);

// A track is worth a row if it has events; vCPUs first, then the guest's CPUs, then its processes.
const tracks = trace.texts.map(text => ({process: +text.split("\t")[0], thread: +text.split("\t")[1], name: names.get(text)}));
const used = new Set(track), rows = tracks.filter((_, i) => used.has(i)).sort((a, b) => a.process - b.process
    || (b.thread >= CPU_TRACK) - (a.thread >= CPU_TRACK) || a.thread - b.thread).slice(0, ROWS_SHOWN);
const rowOf = tracks.map(t => rows.indexOf(t)); // -1: there are too many

// After a reset there is another machine in the trace.
function trackName({process, thread, name = "process " + thread}) {
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

// Events that are thinner than a pixel share its column, whose height is then their share of the time.
function drawEvents(pen, width, style) {
    const colours = new Map([...exits, ...told].map(row => [row, style.getPropertyValue(row.colour || "--rest")]));
    const columns = Math.ceil(width), share = new Float32Array(rows.length * columns), most = new Float32Array(share.length), who = new Array(share.length);
    for (let i = 0; i < events; i++) {
        const x = Math.max(0, (begin[i] - from) / span * width), to = Math.min(width, (begin[i] + length[i] - from) / span * width);
        const row = rowOf[track[i]], what = kinds[kind[i]].rows[0], column = row * columns + Math.floor(x);
        if (row < 0 || x >= width || to < 0) continue;
        if (to - x >= 1) {
            const inset = /fault|interrupt/.test(what.category) ? 10 : 4; // they lie within other events
            pen.fillStyle = colours.get(what);
            pen.fillRect(LEFT + x, row * ROW + inset, to - x, ROW - 2 * inset);
            continue;
        }
        share[column] += to - x;
        if (most[column] > to - x) continue;
        most[column] = to - x;
        who[column] = what;
    }
    who.forEach((what, column) => {
        const row = Math.floor(column / columns), height = (ROW - 8) * Math.max(0.2, Math.min(1, share[column]));
        pen.fillStyle = colours.get(what);
        pen.fillRect(LEFT + column % columns, (row + 1) * ROW - 4 - height, 1, height);
    });
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
    drawEvents(pen, width, style);
    pen.fillStyle = style.getPropertyValue("--text");
    rows.forEach((row, i) => pen.fillText(trackName(row), 12, i * ROW + 23, LEFT - 24));
}

function look(newFrom, newSpan) {
    span = Math.min(end || 1, Math.max(newSpan, 0.05));
    from = Math.max(0, Math.min(newFrom, end - span));
    draw();
}

function zoom(factor, share) {
    look(from + span * share * (1 - factor), span * factor);
}

function timeAt(event) {
    return (event.offsetX - LEFT) / (canvas.clientWidth - LEFT - 10);
}

// What lies under the pointer: the shortest event there.
function describe(event) {
    const at = from + timeAt(event) * span, near = span / 1000, row = Math.floor(event.offsetY / ROW);
    let best = -1;
    for (let i = 0; i < events; i++)
        if (rowOf[track[i]] === row && at >= begin[i] - near && at <= begin[i] + length[i] + near && (best < 0 || length[i] < length[best]))
            best = i;
    byId("about").textContent = best < 0 ? time(Math.max(0, at))
        : `${time(begin[best])}: ${kinds[kind[best]].name} ${kinds[kind[best]].place && "in " + kinds[kind[best]].place}, ${time(length[best])}`;
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
    canvas.addEventListener("dblclick", () => look(0, end));
    canvas.addEventListener("keydown", event => {
        const keys = {"+": () => zoom(0.5, 0.5), "-": () => zoom(2, 0.5), "0": () => look(0, end),
                      ArrowLeft: () => look(from - span / 4, span), ArrowRight: () => look(from + span / 4, span)};
        if (!keys[event.key]) return;
        event.preventDefault();
        keys[event.key]();
    });
    addEventListener("resize", draw);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
}

function showKey() {
    for (const [title, all] of [["Exits:", exits], ["In the guest:", told]]) {
        const shown = all.filter(row => row.colour);
        if (shown.length) add(byId("key"), "b", title);
        for (const row of shown) named(byId("key"), row, "span");
    }
    if (used.size > rows.length) add(byId("key"), "span", count(used.size - rows.length) + " further tracks are not shown.");
}

showNumbers();
showTables();
showConsole();
showKey();
listen();
draw();
document.documentElement.dataset.ready = "yes";
