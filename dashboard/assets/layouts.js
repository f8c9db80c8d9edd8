// Runs once in the browser: shows the panels of the address, keeps layouts by name in this browser, and leads to all symbols.
const STORE = "foretick-layouts"
const menu = document.querySelector("details.layout")
const list = menu.querySelector("ul"), form = menu.querySelector("form"), remark = menu.querySelector("output")

function panels() {
  const without = (new URLSearchParams(bridge.query).get("without") ?? "").split(",")
  for (const panel of document.querySelectorAll("[data-panel]")) panel.hidden = without.includes(panel.dataset.panel)
}

// The page of all symbols opens with the same model, horizon, interval, clock and theme.
function link() {
  const all = new URLSearchParams(bridge.query), names = ["interval", "model", "horizon", "clock", "theme"]
  const same = new URLSearchParams(names.filter(name => all.has(name)).map(name => [name, all.get(name)]))
  document.getElementById("all-symbols").href = `/overview?${same}`
}

// What was stored by hand, or by another version, may be anything.
function stored() {
  try {
    const known = JSON.parse(localStorage.getItem(STORE) ?? "{}")
    return Object.fromEntries(Object.entries(known).filter(([, query]) => typeof query === "string"))
  } catch (error) {
    return {}
  }
}
function store(layouts) {
  try {
    localStorage.setItem(STORE, JSON.stringify(layouts))
    remark.textContent = ""
  } catch (error) {
    remark.textContent = "This browser stores nothing for this page: a layout cannot be kept."
  }
  show()
}

// The part of an address that a layout keeps.
function part(query) {
  const all = new URLSearchParams(query)
  return new URLSearchParams(kept.filter(name => all.has(name)).map(name => [name, all.get(name)])).toString()
}

function choose(query) {
  const wanted = new URLSearchParams(bridge.query)
  for (const name of kept) wanted.delete(name)
  for (const [name, value] of new URLSearchParams(part(query))) wanted.set(name, value)
  history.pushState(null, "", `?${wanted}`)
  bridge.visited = `?${wanted}`
}

function button(text, label, action) {
  const made = document.createElement("button")
  made.type = "button"
  made.textContent = text
  if (label) made.setAttribute("aria-label", label)
  made.addEventListener("click", action)
  return made
}

function show() {
  const now = part(bridge.query)
  list.replaceChildren(...Object.entries(stored()).sort().map(([name, query]) => {
    const row = document.createElement("li"), one = button(name, "", () => choose(query))
    one.setAttribute("aria-pressed", part(query) === now)
    row.append(one, button("✕", `Delete ${name}`, () => {
      const layouts = stored()
      delete layouts[name]
      store(layouts)
      form.elements.name.focus()
    }))
    return row
  }))
}

form.addEventListener("submit", event => {
  event.preventDefault()
  store({...stored(), [form.elements.name.value.trim()]: part(bridge.query)})
  form.reset()
})
menu.addEventListener("keydown", event => {
  if (event.key !== "Escape") return
  menu.open = false
  menu.querySelector("summary").focus()
})
addEventListener("click", event => {
  if (menu.open && event.isTrusted && !event.composedPath().includes(menu)) menu.open = false
})
addEventListener("storage", show)
function all() {
  panels()
  link()
  show()
}
bridge.properties.query.change.connect(all)
all()
