// Runs once in the browser: Escape shuts the drawer, which takes the focus when it opens and gives it back.
const CLOSE = "forecast:close"
const model = name => root.document.get_model_by_name(name)
let kept = null // the button that had the focus last
let before = null // the one that had it when the drawer was opened

function deepest() {
  let node = document.activeElement
  while (node?.shadowRoot?.activeElement) node = node.shadowRoot.activeElement
  return node
}
// The texts are in shadow roots of their own.
function find(node, name) {
  const found = node.querySelector(`[data-press="${CSS.escape(name)}"]`)
  if (found) return found
  for (const host of node.querySelectorAll("*")) {
    const inner = host.shadowRoot && find(host.shadowRoot, name)
    if (inner) return inner
  }
}
// Bokeh draws a little later: the button is waited for, for three seconds.
function focus(name, tries = 30) {
  const button = find(document, name)
  if (button?.checkVisibility()) button.focus({preventScroll: true})
  else if (tries > 0) setTimeout(() => focus(name, tries - 1), 100)
}
function moved() {
  if (root.visible) before = kept // not what has the focus: the list may have been written anew by now
  const name = root.visible ? CLOSE : before
  if (name !== null) settled(() => focus(name))
}
// What was pressed has been acted on, and bridge.js has given the focus back to its button: only then is it moved.
function settled(then, tries = 60) {
  if (model("bridge").pressed === "") setTimeout(then, 50)
  else if (tries > 0) setTimeout(() => settled(then, tries - 1), 50)
}
function escape(event) {
  if (event.key !== "Escape" || !root.visible || document.querySelector("dialog[open]")) return
  model("bridge").pressed = CLOSE
}
// The list of forecasts is written anew with every bar, the head once it is read: the focus stays where it was.
function rewritten() {
  const name = kept
  if (name?.startsWith("forecast:")) setTimeout(() => kept === name && deepest()?.dataset?.press !== name && focus(name, 5))
}

root.properties.visible.change.connect(moved)
for (const name of ["last_forecasts", "forecast_head"]) model(name)?.properties.text.change.connect(rewritten)
addEventListener("keydown", escape)
addEventListener("focusin", event => kept = event.composedPath().find(node => node.dataset?.press)?.dataset.press ?? null, true)
addEventListener("pointerdown", () => kept = null, true)
