// Runs once in the browser: keeps the address, the state and the theme in step with the page.
const root = document.documentElement
const dark = matchMedia("(prefers-color-scheme: dark)")
let last = "", clock

// The clock that was chosen is that of the other pages too, and of the next visit.
function remember() {
  const chosen = new URLSearchParams(bridge.query).get("clock") || "UTC"
  if (clock !== undefined && chosen !== clock) {
    document.cookie = `foretick-clock=${chosen}; path=/; max-age=31536000; SameSite=Strict`
  }
  clock = chosen
}
function address() {
  remember()
  const url = bridge.query ? "?" + bridge.query : location.pathname
  const step = bridge.query === bridge.pushed && url !== location.search
  step ? history.pushState(null, "", url) : history.replaceState(null, "", url)
}
function theme() {
  root.dataset.theme = bridge.theme
}
function state() {
  document.body.dataset.state = bridge.state
}
function token() {
  document.querySelector("meta[name=foretick-token]").content = bridge.token
}
function system() {
  bridge.system = dark.matches ? "dark" : "light"
}
// A text is written anew by what its button does: the focus returns to the button of the same name.
function refocus() {
  if (bridge.pressed !== "") return
  const name = `[data-press="${CSS.escape(last)}"]`
  setTimeout(() => buttons(document, name).forEach(button => button.focus({preventScroll: true})))
}
function buttons(node, name) {
  const found = [...node.querySelectorAll(name)]
  for (const host of node.querySelectorAll("*")) if (host.shadowRoot) found.push(...buttons(host.shadowRoot, name))
  return found
}

// A plot with nothing to draw has no place: its title says why.
function nothing() {
  const names = bridge.nothing.split(" ")
  for (const place of document.querySelectorAll(".plot")) {
    place.hidden = names.some(name => name && place.classList.contains(name))
  }
}

bridge.properties.query.change.connect(address)
bridge.properties.theme.change.connect(theme)
bridge.properties.state.change.connect(state)
bridge.properties.token.change.connect(token)
bridge.properties.pressed.change.connect(refocus)
dark.addEventListener("change", system)
addEventListener("popstate", () => bridge.visited = location.search || "?")
// The texts are in shadow roots of their own: the path of a click goes through them.
addEventListener("click", event => {
  const button = event.composedPath().find(node => node.dataset?.press)
  if (button) bridge.pressed = last = button.dataset.press
})
bridge.properties.nothing.change.connect(nothing)
bridge.properties.drawn.change.connect(() => dispatchEvent(new CustomEvent("foretick-drawn", {detail: bridge.drawn})))

// The server draws what is in view, and once, before it is scrolled to, what is just beyond. An export needs all.
const NEAR = "300px"
const plots = new Map(window.foretick.views("Figure").map(view => [view.el, view.model.name]))
const seen = new Set(), ahead = new Set(), known = new Set()
let every = false
function tell() {
  bridge.in_view = every ? "*" : [...new Set([...seen, ...ahead])].sort().join(" ")
}
function observe(rootMargin, take) {
  const observer = new IntersectionObserver(entries => {
    for (const {target, isIntersecting} of entries) take(plots.get(target), isIntersecting)
    tell()
  }, {rootMargin})
  plots.forEach((_, element) => observer.observe(element))
}
observe("0px", (name, is) => is ? seen.add(name) : seen.delete(name))
observe(NEAR, (name, is) => is && !known.has(name) ? ahead.add(name) : ahead.delete(name))
bridge.properties.drawn.change.connect(() => {
  for (const name of bridge.drawn.split(" ")) {
    known.add(name)
    ahead.delete(name)
  }
  tell()
})
addEventListener("foretick-every", event => {
  every = event.detail
  tell()
})
bridge.zone = Intl.DateTimeFormat().resolvedOptions().timeZone
system()
address()
state()
theme()
nothing()
