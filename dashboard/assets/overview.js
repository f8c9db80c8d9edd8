// Runs once in the browser: keeps the table of all symbols in step with the columns of its source.
const table = document.getElementById("symbols"), body = table.tBodies[0]
const template = document.getElementById("symbol-row"), held = document.querySelector("p.held")
const rows = new Map()
let over = false, arrangement = null

function write(node, text) {
  if (node.textContent !== text) node.textContent = text
}
function set(node, name, value) {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value)
}

// How far from even a chance is, in percent: its colour says on which side, and how strong.
function tint(node, text) {
  const chance = parseFloat(text)
  const lean = Number.isFinite(chance) ? chance - 50 : 0
  node.className = lean > 0 ? "up" : lean < 0 ? "down" : ""
  node.style.setProperty("--lean", `${Math.min(100, 2 * Math.abs(lean))}%`)
}

function added(symbol) {
  const row = template.content.firstElementChild.cloneNode(true)
  const cells = Object.fromEntries([...row.querySelectorAll("[data-cell]")].map(node => [node.dataset.cell, node]))
  const one = {row, cells, link: row.querySelector("a"), line: row.querySelector("svg"), dot: row.querySelector(".dot")}
  rows.set(symbol, one)
  label(row)
  return one
}

function fill(one, data, at) {
  for (const name of texts) {
    if (one.cells[name].textContent === data[name][at]) continue
    write(one.cells[name], data[name][at])
    if (name.startsWith("rise")) tint(one.cells[name], data[name][at])
  }
  write(one.link, data.symbol[at])
  set(one.link, "href", data.href[at])
  set(one.line.firstElementChild, "d", data.path[at])
  set(one.line, "aria-label", data.reach[at])
  set(one.line.parentNode, "title", data.reach[at])
  one.dot.style.background = data.colour[at]
  set(one.row, "class", `${data.stale[at]} ${data.late[at]}`.trim())
}

function draw() {
  const data = symbols.source.data, known = new Set(data.symbol)
  data.symbol.forEach((symbol, at) => fill(rows.get(symbol) ?? added(symbol), data, at))
  for (const [symbol, one] of rows) {
    if (known.has(symbol)) continue
    one.row.remove()
    rows.delete(symbol)
  }
}

// Rows that move under the pointer are clicked by mistake: only the viewer's own choice moves them meanwhile.
function arrange() {
  const chosen = arrangement !== symbols.arrangement
  const wanted = symbols.order.filter(symbol => rows.has(symbol)).map(symbol => rows.get(symbol).row)
  const same = wanted.length === body.rows.length && wanted.every((row, at) => row === body.rows[at])
  held.hidden = same || chosen || !over
  if (same || (over && !chosen)) return
  arrangement = symbols.arrangement
  const focused = document.activeElement
  body.replaceChildren(...wanted)
  if (body.contains(focused)) focused.focus({preventScroll: true})
}

function heads() {
  for (const head of table.querySelectorAll("[data-head]")) {
    const name = head.dataset.head, text = symbols.heads[name]
    if (text !== undefined) write(head.querySelector("button") ?? head, text)
    if (!head.querySelector("button")) continue
    name === symbols.sort ? head.setAttribute("aria-sort", symbols.direction) : head.removeAttribute("aria-sort")
  }
  for (const one of rows.values()) label(one.row)
  label(template.content)
}

// On a narrow screen the cells stand below each other, and each says what it is.
function label(row) {
  for (const cell of row.querySelectorAll("[data-of]")) {
    const button = table.querySelector(`[data-head="${cell.dataset.of}"]`)
    set(cell, "data-label", button.textContent)
  }
}

function all() {
  draw()
  arrange()
}

const properties = symbols.properties
symbols.source.properties.data.change.connect(all)
symbols.source.patching.connect(draw)
properties.order.change.connect(arrange)
properties.arrangement.change.connect(arrange)
for (const name of ["heads", "sort", "direction"]) properties[name].change.connect(heads)
body.addEventListener("pointerenter", event => over = event.pointerType === "mouse")
body.addEventListener("pointerleave", () => { over = false; arrange() })
heads()
all()
