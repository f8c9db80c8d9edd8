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

// The texts are in shadow roots of their own: the path of a click goes through them.
document.addEventListener("click", (event) => {
  const button = event.composedPath().find((one) => one.dataset && one.dataset.choose)
  if (button) bridge.choice = button.dataset.choose
})
bridge.properties.query.change.connect(address)
bridge.properties.theme.change.connect(theme)
bridge.properties.state.change.connect(state)
bridge.properties.token.change.connect(token)
dark.addEventListener("change", system)
system()
address()
state()
theme()
