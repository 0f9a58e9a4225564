// /docs: openapi.json for people. A page, a script and a style of this origin; nothing is loaded from elsewhere. All text
// enters the page as text, never as HTML.
#include "api/route.h"
#include "api/static_files.h"

namespace ghm::api {
namespace {

constexpr std::string_view kPage = R"html(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>API · GPU Health Monitor</title>
<link rel="stylesheet" href="/docs/docs.css">
<script src="/docs/docs.js" defer></script>
</head>
<body>
<header><a href="/">GPU Health Monitor</a> <span>API</span> <a href="/api/v1/openapi.json">openapi.json</a></header>
<main id="main"><p>Reading the description …</p></main>
<noscript><p>This page needs its script; the same in JSON is at <a href="/api/v1/openapi.json">openapi.json</a>.</p></noscript>
</body>
</html>
)html";

constexpr std::string_view kStyle = R"css(:root { color-scheme: light dark; --line: #8884; --soft: #8881; --accent: #2a6fdb; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 0 1rem 4rem; }
header { display: flex; gap: 1rem; align-items: baseline; padding: 1rem 0; border-bottom: 1px solid var(--line); }
header span { flex: 1; font-weight: 600; }
a { color: var(--accent); }
h2 { margin: 2rem 0 .5rem; }
details { border: 1px solid var(--line); border-radius: 6px; margin: .5rem 0; }
summary { cursor: pointer; padding: .5rem .75rem; }
summary code { font-weight: 600; }
.method { display: inline-block; min-width: 4rem; font: 600 .8rem ui-monospace, monospace; color: var(--accent); }
.body { padding: 0 .75rem .75rem; }
code, pre { font-family: ui-monospace, monospace; font-size: .9rem; }
pre { background: var(--soft); padding: .75rem; border-radius: 6px; overflow: auto; max-height: 24rem; white-space: pre-wrap; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line); }
button, input { font: inherit; padding: .25rem .75rem; }
input { width: 24rem; max-width: 100%; }
)css";

constexpr std::string_view kScript = R"js("use strict";
const source = "/api/v1/openapi.json";
let key = "";

function element(name, attributes, ...children) {
  const node = document.createElement(name);
  for (const [k, v] of Object.entries(attributes || {})) k === "onclick" ? node.addEventListener("click", v) : node.setAttribute(k, v);
  for (const child of children.flat()) if (child !== null && child !== undefined) node.append(child);
  return node;
}
const ask = (path) => fetch(path, { headers: key ? { Authorization: "Bearer " + key } : {} });

function resolve(api, node) {
  for (let depth = 0; node && node.$ref && depth < 20; ++depth)
    node = node.$ref.replace(/^#\//, "").split("/").reduce((at, part) => at && at[part.replace(/~1/g, "/").replace(/~0/g, "~")], api);
  return node || {};
}

function shape(api, schema, depth) {
  const s = resolve(api, schema);
  if (depth > 6) return "…";
  const parts = s.oneOf || s.anyOf;
  if (parts) return parts.map((part) => shape(api, part, depth)).join(" | ");
  const pad = "  ".repeat(depth + 1);
  const all = Object.assign({}, ...(s.allOf || []).map((part) => resolve(api, part).properties || {}), s.properties || {});
  if (Object.keys(all).length) {
    const rows = Object.entries(all).map(([name, value]) => {
      const about = resolve(api, value).description;
      return pad + name + ": " + shape(api, value, depth + 1) + (about ? "  — " + about.trim().split("\n")[0] : "");
    });
    return "{\n" + rows.join("\n") + "\n" + "  ".repeat(depth) + "}";
  }
  if (s.items) return "[" + shape(api, s.items, depth) + "]";
  if (s.enum) return s.enum.map((v) => JSON.stringify(v)).join(" | ");
  return [].concat(s.type || "any").join(" | ") + (s.format ? " (" + s.format + ")" : "");
}

function parameters(api, list) {
  if (!list.length) return null;
  const row = (p) => element("tr", {}, element("td", {}, element("code", {}, p.name), p.required ? " *" : ""), element("td", {}, p.in),
    element("td", {}, shape(api, p.schema || {}, 0)), element("td", {}, p.description || ""));
  return element("table", {}, element("tr", {}, ["parameter", "in", "type", ""].map((h) => element("th", {}, h))), list.map(row));
}

function responses(api, all) {
  return Object.entries(all || {}).flatMap(([status, raw]) => {
    const r = resolve(api, raw);
    const bodies = Object.entries(r.content || {}).map(([type, body]) => element("pre", {}, type + "\n" + shape(api, body.schema || {}, 0)));
    return [element("p", {}, element("code", {}, status), " " + (r.description || "")), ...bodies];
  });
}

function trial(path, list) {
  if (path.includes("{") || path.endsWith("/stream") || list.some((p) => p.required)) return null;
  const out = element("pre", { hidden: "" });
  const run = async () => {
    out.hidden = false;
    const answer = await ask(path);
    const text = await answer.text();
    let shown = text;
    try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch { /* not JSON: as it is */ }
    out.textContent = answer.status + "\n" + shown.slice(0, 20000);
  };
  return element("div", {}, element("button", { type: "button", onclick: run }, "Try it"), out);
}

function operation(api, path, shared, method, op) {
  const list = [...(shared || []), ...(op.parameters || [])].map((p) => resolve(api, p));
  return element("details", { id: op.operationId || method + path },
    element("summary", {}, element("span", { class: "method" }, method.toUpperCase()), element("code", {}, path), " ", op.summary || ""),
    element("div", { class: "body" }, op.description ? element("p", {}, op.description) : null, parameters(api, list),
      responses(api, op.responses), method === "get" ? trial(path, list) : null));
}

function render(api) {
  const base = ((api.servers || [])[0] || {}).url || "";
  const prefix = base.startsWith("/") && base !== "/" ? base.replace(/\/$/, "") : "";
  const groups = new Map();
  for (const [path, item] of Object.entries(api.paths || {}))
    for (const method of ["get", "post", "put", "patch", "delete"]) {
      if (!item[method]) continue;
      const tag = (item[method].tags || ["API"])[0];
      if (!groups.has(tag)) groups.set(tag, []);
      groups.get(tag).push(operation(api, path.startsWith(prefix + "/") && prefix ? path : prefix + path, item.parameters, method, item[method]));
    }
  const info = api.info || {};
  document.getElementById("main").replaceChildren(
    element("h1", {}, info.title || "API", " ", element("small", {}, info.version || "")),
    element("p", {}, info.description || ""),
    ...[...groups].flatMap(([tag, rows]) => [element("h2", {}, tag), ...rows]));
}

function ask_for_key() {
  const field = element("input", { type: "password", autocomplete: "off", "aria-label": "Key" });
  const go = () => { key = field.value.trim(); start(); };
  document.getElementById("main").replaceChildren(element("p", {}, "This server wants a key (ghm_…). It stays in this page."), field, " ",
    element("button", { type: "button", onclick: go }, "Show the API"));
}

async function start() {
  try {
    const answer = await ask(source);
    if (answer.status === 401) return ask_for_key();
    if (!answer.ok) throw new Error("the server answered " + answer.status);
    render(await answer.json());
  } catch (error) {
    document.getElementById("main").replaceChildren(element("p", {}, "The description cannot be read: " + error.message));
  }
}
start();
)js";

http::Response text(std::string_view type, std::string_view body) {
  http::Response r;
  r.content_type = type;
  r.static_headers = standard_headers(Caching::revalidate);
  r.static_body = body;
  return r;
}

}  // namespace

http::Response get_docs_page(const Call&) {
  return text("text/html; charset=utf-8", kPage);
}
http::Response get_docs_script(const Call&) {
  return text("text/javascript; charset=utf-8", kScript);
}
http::Response get_docs_style(const Call&) {
  return text("text/css; charset=utf-8", kStyle);
}

}  // namespace ghm::api
