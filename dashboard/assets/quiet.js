// What Bokeh warns of whenever it draws, and leaves no setting for; any other warning fails a test (tests/browsing.py).
{
  // A plot without data has no range. Ours are empty until something is stored; Bokeh leaves it out for its inner plots.
  const {RangeManager} = Bokeh.require("models/plots/range_manager")
  Object.defineProperty(RangeManager.prototype, "warn_initial_ranges", {get: () => false, set() {}})
  // Bokeh lets its lists of choices take labels as HTML without saying so: ours are escaped (dashboard/multi_choice.py).
  const warn = console.warn
  console.warn = (...said) => String(said[0]).startsWith("Deprecation warning: allowHTML") || warn(...said)
}
