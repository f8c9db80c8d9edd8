// Of the rows, those beyond the axis at one edge; or of those in view the one that is farthest beyond it.
const {time, [column]: values} = source.data
const beyond = Array.from(values, value => upper ? value > y.end : value < y.start)
if (!farthest) return beyond
let found = -1
for (let row = 0; row < values.length; row++) {
  if (!beyond[row] || time[row] < x.start || time[row] > x.end) continue
  if (found < 0 || (upper ? values[row] > values[found] : values[row] < values[found])) found = row
}
return found < 0 ? [] : [found]
