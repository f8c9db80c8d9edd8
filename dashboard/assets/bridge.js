// Runs once in the browser: keeps the address, the state and the theme in step with the page.
const root = document.documentElement
const dark = matchMedia("(prefers-color-scheme: dark)")

function address() {
  history.replaceState(null, "", bridge.query ? "?" + bridge.query : location.pathname)
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

bridge.properties.query.change.connect(address)
bridge.properties.theme.change.connect(theme)
bridge.properties.state.change.connect(state)
bridge.properties.token.change.connect(token)
dark.addEventListener("change", system)
system()
address()
state()
theme()
