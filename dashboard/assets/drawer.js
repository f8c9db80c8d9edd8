// Runs once in the browser: Escape shuts the drawer, which takes the focus when it opens and gives it back.
const CLOSE = "forecast:close"
let before = null

function deepest() {
  let node = document.activeElement
  while (node?.shadowRoot?.activeElement) node = node.shadowRoot.activeElement
  return node
}
function buttons(node, name) {
  const found = [...node.querySelectorAll(`[data-press="${CSS.escape(name)}"]`)]
  for (const host of node.querySelectorAll("*")) if (host.shadowRoot) found.push(...buttons(host.shadowRoot, name))
  return found
}
function moved() {
  if (root.visible) {
    before = deepest()?.dataset?.press ?? null
    setTimeout(() => buttons(document, CLOSE).forEach(one => one.focus({preventScroll: true})), 120)
  } else if (before !== null) {
    const name = before
    before = null
    setTimeout(() => buttons(document, name).forEach(one => one.focus({preventScroll: true})), 120)
  }
}
root.properties.visible.change.connect(moved)
addEventListener("keydown", event => {
  if (event.key !== "Escape" || !root.visible || document.querySelector("dialog[open]")) return
  bridge.pressed = CLOSE
})
// The list of forecasts is written anew with every bar: the focus stays on the button where it was.
let kept = null
addEventListener("focusin", event => { kept = event.composedPath().find(node => node.dataset?.press)?.dataset.press ?? null }, true)
addEventListener("pointerdown", () => kept = null, true)
const list = Bokeh.documents.flatMap(one => one.roots()).find(one => one.name === "last_forecasts")
list?.properties.text.change.connect(() => {
  const name = kept
  if (name === null || !deepest()?.dataset?.press) return
  setTimeout(() => {
    if (deepest()?.dataset?.press !== name) buttons(document, name).forEach(one => one.focus({preventScroll: true}))
  })
})
