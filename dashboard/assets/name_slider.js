// The handle of a slider is drawn a moment after its bar is shown; it has a role, and no name.
function name(tries) {
  const handle = Bokeh.index.find_one(slider)?.shadow_el.querySelector("[role=slider]")
  if (handle) handle.setAttribute("aria-label", "Moment of the replay")
  else if (tries > 0 && bar.visible) setTimeout(() => name(tries - 1), 100)
}
name(20)
