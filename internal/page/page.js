"use strict";
const byID = (id) => document.getElementById(id);
const token = document.querySelector("meta[name=token]")?.content ?? "";

// node makes an element; in names a namespace where one is needed.
function node(tag, attributes = {}, ...children) {
  const svg = ["svg", "g", "line", "rect", "circle", "path", "text", "title"].includes(tag);
  const n = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) n.setAttribute(name, value);
  n.append(...children);
  return n;
}

const say = (id, text) => { const n = byID(id); if (n.textContent !== text) n.textContent = text; };
const clock = (t) => new Date(t).toLocaleTimeString([], { hour12: false });
const day = (t) => new Date(t).toLocaleString([], { dateStyle: "medium", timeStyle: "short", hour12: false });

// span is a length of time in ms as people read it.
function span(ms) {
  const s = Math.max(ms, 0) / 1000;
  if (s < 1 && ms > 0) return Math.round(ms) + " ms";
  if (s < 100) return Math.ceil(s) + " s";
  if (s < 6000) return Math.round(s / 60) + " min";
  if (s < 48 * 3600) return Math.floor(s / 3600) + " h " + Math.floor(s % 3600 / 60) + " min";
  return Math.floor(s / 86400) + " days";
}

// bars draws one bar a second, the present one last.
function bars(svg, seconds) {
  const most = Math.max(...seconds, 4), w = 600 / seconds.length;
  svg.setAttribute("viewBox", "0 0 600 80");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.replaceChildren(...seconds.map((n, i) => {
    const h = n && Math.max(78 * n / most, 3);
    return node("rect", { x: i * w + 1, y: 80 - h, width: w - 2, height: h, rx: 1.5 });
  }), node("rect", { x: 0, y: 79, width: 600, height: 1 }));
}

// log shows the lines [time, class, word, text], the newest first.
function log(list, lines) {
  const key = JSON.stringify(lines);
  if (list.dataset.shown === key) return;
  list.dataset.shown = key;
  list.replaceChildren(...lines.toReversed().map(([t, kind, word, text]) => {
    const w = node("b", {}, word);
    if (kind) w.className = "t-" + kind;
    return node("li", {}, node("time", { datetime: t }, clock(t)), w, node("span", {}, text));
  }));
}

// ask sends a request and returns the response, or an error in words.
async function ask(path, method = "GET") {
  const response = await fetch(path, { method, headers: { "Silentrefresh-Token": token }, cache: "no-store", redirect: "error" });
  if (response.ok) return response;
  const text = await response.text();
  let said = text.trim() || response.status + " " + response.statusText;
  try { said = JSON.parse(text).message ?? said; } catch { /* it is not JSON */ }
  throw new Error(said);
}

// poll shows what path has, once a second while somebody looks; lost is told when there is nothing, and why.
function poll(path, show, lost) {
  async function once() {
    if (!document.hidden) {
      try {
        const state = await (await ask(path)).json();
        lost("");
        show(state);
      } catch (e) {
        lost(e instanceof TypeError ? "There is no connection: has it been stopped?" : e.message);
      }
    }
    setTimeout(once, 1000);
  }
  once();
}
