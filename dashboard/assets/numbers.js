// Numbers in the browser, by the rule of topics/prices.py. What uses it adds the line that returns one of them.
const PLAIN = 1e-6, LARGE = 1e15, UNITS = ["", "k", "M", "G", "T"]

function power(value, decimals) {
  return value.toExponential(decimals).replace("e+", "e")
}
function exponent(value) {
  return Math.floor(Math.log10(value) + 1e-6)
}
function decimal(value, decimals) {
  return value.toLocaleString("en", {minimumFractionDigits: decimals, maximumFractionDigits: decimals})
}

// One number, with what it has of so many significant digits, and all before the point.
function number(value, figures = 8) {
  if (!Number.isFinite(value)) return "\u2013"
  const size = Math.abs(value)
  if (size !== 0 && (size < PLAIN || size >= LARGE)) return power(Number(value.toPrecision(figures)))
  return value.toLocaleString("en", {maximumSignificantDigits: Math.max(figures, exponent(size || 1) + 1)})
}

// A tick of an axis, with as many digits as tell it from its neighbours; `short` writes thousands as k, M, G, T.
function label(tick, ticks, short) {
  if (tick === 0) return "0"
  if (ticks.length === 1) return number(tick)
  const most = Math.max(...ticks.map(Math.abs))
  const step = Math.min(...ticks.slice(1).map((next, place) => Math.abs(next - ticks[place])))
  if (most < PLAIN || most >= LARGE) return power(tick, Math.max(0, exponent(Math.abs(tick)) - exponent(step)))
  const unit = short ? Math.min(UNITS.length - 1, Math.max(0, Math.floor(exponent(most) / 3))) : 0
  return decimal(tick / 1000 ** unit, Math.min(20, Math.max(0, 3 * unit - exponent(step)))) + UNITS[unit]
}
