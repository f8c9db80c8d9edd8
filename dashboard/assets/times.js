// Times in the browser: in UTC, or in the viewer's own zone. What uses it adds the line that returns one of them.
const MINUTE = 60_000, DAY = 86_400_000

function said(ms, options) {
  return new Intl.DateTimeFormat("en-GB", {timeZone: zone, hourCycle: "h23", ...options}).format(ms).replace(",", "")
}
function date(ms) {
  return said(ms, {day: "numeric", month: "short", year: "numeric"})
}
function time(ms, seconds) {
  return said(ms, {hour: "2-digit", minute: "2-digit", ...(seconds ? {second: "2-digit"} : {})})
}

// A time with its date and its zone.
function moment(ms) {
  const name = zone === "UTC" ? "UTC" : said(ms, {hour: "2-digit", timeZoneName: "short"}).replace(/^\d+ /, "")
  return `${date(ms)} ${time(ms)} ${name}`
}

// A tick of an axis: the time, or the day where a day begins or days are apart; the second tick has the date below it.
function label(tick, ticks, index) {
  const apart = ticks.length > 1 ? Math.abs(ticks[1] - ticks[0]) : 0
  if (apart >= 27 * DAY) return said(tick, {month: "short", year: "numeric"})
  const brief = {day: "numeric", month: "short"}
  const text = apart >= DAY || time(tick) === "00:00" ? said(tick, brief) : time(tick, apart > 0 && apart < MINUTE)
  if (!dated || index !== Math.min(1, ticks.length - 1)) return text
  return `${text}\n${apart >= DAY ? said(tick, {year: "numeric"}) : date(tick)}`
}
