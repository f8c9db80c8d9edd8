// What a page consists of, for the scripts that look at all of it: its texts are in shadow roots of their own.
window.foretick = (() => {
  function isHidden(element) {
    const {display, visibility} = getComputedStyle(element)
    return display === "none" || visibility === "hidden"
  }
  // Headings, tables and plots as a reader meets them; what is hidden is left out.
  function* parts(node = document.body) {
    for (const child of [...(node.shadowRoot?.children || []), ...node.children]) {
      if (child.matches("dialog, style, script") || isHidden(child)) continue
      if (child.matches("h2, h3, table, .bk-Figure")) yield child
      else yield* parts(child)
    }
  }
  // The text of an element without its buttons and further parts that match.
  function text(element, without = "button") {
    const copy = element.cloneNode(true)
    copy.querySelectorAll(without).forEach(one => one.remove())
    copy.querySelectorAll("br").forEach(one => one.replaceWith(" "))
    return copy.textContent.replace(/\s+/g, " ").trim()
  }
  // The views of these models, once the page is drawn.
  function views(...types) {
    return [...(window.Bokeh?.index?.query(view => types.includes(view.model.type)) || [])]
  }
  return {parts, text, views}
})()
