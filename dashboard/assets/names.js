// What a screen reader calls the controls that Bokeh makes: a label of the page does not reach into their shadow roots.
{
  const {parts, text, views} = window.foretick
  const EVERY_MS = 1_000, AFTER_MS = 50

  // The name of a widget: its own title, or what stands above it.
  function named(view) {
    const place = view.el.closest("label, [role=group], .controls > *")
    const shown = view.model.title || place?.querySelector(":scope > span")?.textContent || place?.ariaLabel || ""
    return shown.trim()
  }
  function set(element, attributes) {
    for (const [name, value] of Object.entries(attributes)) {
      if (element && value !== "" && element.getAttribute(name) !== String(value)) element.setAttribute(name, value)
    }
  }

  function inputs() {
    for (const view of views("Select", "TextInput", "Spinner", "MultiChoice")) {
      const root = view.shadow_el, name = named(view)
      for (const input of root.querySelectorAll("select, input")) {
        if (!input.labels?.length || input.labels[0].textContent.trim() === "") set(input, {"aria-label": name})
      }
      // The list of many choices is a field that filters them, and their list.
      root.querySelectorAll(".choices input").forEach(input => set(input, {"aria-label": name}))
      root.querySelectorAll(".choices__list").forEach(list => set(list, {"aria-label": name}))
      root.querySelectorAll(".choices[role]").forEach(box => set(box, {"aria-label": name}))
      root.querySelectorAll("button").forEach((button, place) => {
        if (view.model.type === "Spinner") set(button, {"aria-label": `${name}: ${place === 0 ? "next" : "previous"}`})
      })
    }
  }
  function groups() {
    for (const view of views("RadioButtonGroup")) {
      // A group of the page around it has the name already.
      if (!view.el.closest("[role=group][aria-label]")) {
        set(view.shadow_el.querySelector(".bk-btn-group"), {role: "group", "aria-label": named(view)})
      }
      const buttons = view.shadow_el.querySelectorAll("button")
      buttons.forEach((button, place) => set(button, {"aria-pressed": place === view.model.active}))
    }
  }
  function plots() {
    const found = new Map(views("Figure").map(view => [view.el, view]))
    let heading = ""
    for (const element of parts()) {
      if (element.matches("h2")) heading = text(element, "button, small")
      const view = found.get(element)
      if (!view) continue
      const root = view.canvas_view?.shadow_el
      root?.querySelectorAll("[tabindex]").forEach(layer => set(layer, {role: "img", "aria-label": `Plot: ${heading}`}))
    }
  }
  function tools() {
    for (const view of views("Toolbar")) {
      set(view.el, {role: "toolbar", "aria-label": "Tools of the plot"})
      const root = view.shadow_el
      root.querySelectorAll("[tabindex]").forEach(one => set(one, {role: "button", "aria-label": one.title || "More tools"}))
    }
  }
  function all() {
    for (const name of [inputs, groups, plots, tools]) name()
  }

  // Bokeh makes its elements anew when options or a layout change.
  setInterval(all, EVERY_MS)
  for (const event of ["click", "change"]) addEventListener(event, () => setTimeout(all, AFTER_MS))
}
