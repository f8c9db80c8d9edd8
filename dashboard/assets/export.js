// The dialog Export lists the page's tables and plots, in their order: each is saved as CSV, a plot also as PNG.
// What of a plot is written, and under which headings, its tag says (dashboard/sheets.py).
{
  const {parts, text, views} = window.foretick
  const dialog = document.getElementById("export-dialog")
  const list = dialog.querySelector("ul")
  const DASH = "\u2013", MOST = 120
  const THOUSANDS = {"": 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12}

  function entries() {
    const plots = new Map(views("Figure").map(view => [view.el, view]))
    const found = []
    let heading = "", below = ""
    for (const element of parts()) {
      if (element.matches("h2")) [heading, below] = [text(element, "button, small"), ""]
      else if (element.matches("h3")) below = text(element)
      else if (element.matches("table")) {
        const name = element.getAttribute("aria-label") || (below ? `${heading}: ${below}` : heading)
        const rows = cells(element)
        if (rows.length > 1) found.push({name, rows: () => rows, count: rows.length - 1})
      } else {
        const view = plots.get(element)
        const sheets = view?.model.tags.find(tag => tag?.sheets)?.sheets || []
        sheets.forEach((sheet, place) => {
          const name = sheet.name ? `${heading}: ${sheet.name}` : heading
          const rows = written(sheet)
          found.push({name, rows: () => rows, count: rows.length - 1, view: place === 0 ? view : null})
        })
        if (view && !sheets.length) found.push({name: heading, count: 0, rows: () => [], view})
      }
    }
    // Two of one name, as the tables of two topics are: the second is "… 2".
    const seen = {}
    for (const one of found) {
      seen[one.name] = (seen[one.name] || 0) + 1
      if (seen[one.name] > 1) one.name += ` ${seen[one.name]}`
    }
    return found
  }

  // Rows of a sheet, the first of them its headings.
  function written(sheet) {
    const named = sheet.sources.some(([name]) => name !== "")
    const rows = [[...(named ? [sheet.by] : []), ...sheet.columns.map(([, heading]) => heading)]]
    for (const [name, source] of sheet.sources) {
      const columns = sheet.columns.map(([column, heading]) => [source.data[column], heading.endsWith("[UTC]")])
      for (let row = 0; row < source.get_length(); row++) {
        const values = columns.map(([column, time]) => [column?.[row], time])
        const lists = values.map(([value]) => value).filter(isList)
        const length = lists.length ? Math.max(...lists.map(value => value.length)) : 1
        for (let place = 0; place < length; place++) {
          const line = values.map(([value, time]) => plain(isList(value) ? value[place] : value, time))
          rows.push(named ? [name, ...line] : line)
        }
      }
    }
    return rows
  }
  function isList(value) {
    return Array.isArray(value) || ArrayBuffer.isView(value)
  }
  function plain(value, time) {
    if (value === null || value === undefined || (typeof value === "number" && !Number.isFinite(value))) return ""
    return time ? new Date(value).toISOString() : String(value)
  }

  // Rows of a table as it is shown; its numbers are plain ones, and a unit that all of a column have is in its heading.
  function cells(table) {
    const lines = [...table.rows].map(row => [...row.cells].flatMap(cell => {
      return [cell, ...Array(Math.max(cell.colSpan, 1) - 1).fill(null)]
    }))
    const isHead = line => line.every(cell => cell === null || cell.tagName === "TH")
    const begin = Math.max(lines.findIndex(line => !isHead(line)), 1)
    const heads = lines.slice(0, begin).map(line => {
      // A heading over several columns is that of each.
      let last = null
      return line.map(cell => text(last = cell ?? last, "button, .zone"))
    })
    const body = lines.slice(begin)
    const width = Math.max(...lines.map(line => line.length))
    const columns = []
    for (let place = 0; place < width; place++) {
      const named = heads.map(head => head[place]).filter(Boolean).join(" ").replace(/,$/, "")
      const made = told(body.map(line => line[place]))
      // A column of buttons alone has neither a heading nor a text; one of names may lack a heading.
      if (!named && made.values.every(value => value === "")) continue
      columns.push([`${named || "name"}${made.unit && ` [${made.unit}]`}`, ...made.values])
    }
    return Array.from({length: body.length + 1}, (_, row) => columns.map(column => column[row]))
  }
  function told(column) {
    const times = column.map(cell => cell?.querySelector("time[datetime]"))
    const texts = column.map((cell, row) => {
      if (!cell) return ""
      return times[row] && text(cell) === text(times[row]) ? times[row].dateTime : text(cell)
    })
    const known = column.map((cell, row) => cell && !["", DASH].includes(texts[row]))
    if (times.some(Boolean) && texts.every((one, row) => !known[row] || one === times[row]?.dateTime)) {
      return {unit: "UTC", values: texts.map((one, row) => known[row] ? new Date(one).toISOString() : "")}
    }
    const numbers = column.map((cell, row) => known[row] ? number(text(cell, "button, small")) : null)
    const units = new Set(numbers.filter((_, row) => known[row]).map(one => one?.unit))
    if (units.size === 1 && !units.has(undefined)) {
      return {unit: [...units][0], values: numbers.map(one => one ? one.value : "")}
    }
    return {unit: "", values: texts.map((one, row) => known[row] ? one : "")}
  }
  // A number as the pages write it, perhaps with a mark before it and a unit behind; null if it is none.
  function number(shown) {
    const match = shown.match(/^[▲▼■]? ?([+\-\u2212]?)([\d,]*\.?\d+(?:e[+-]?\d+)?)(?: ?([kMGT]))?(?: (%|bp))?$/)
    if (!match) return null
    const value = Number(match[2].replaceAll(",", "")) * THOUSANDS[match[3] || ""]
    return {value: String(match[1] && match[1] !== "+" ? -value : value), unit: match[4] || ""}
  }

  // A text that begins as a formula would is none to a spreadsheet behind an apostrophe.
  function quoted(value) {
    const safe = /^[=+\-@\t\r]/.test(value) && Number.isNaN(Number(value)) ? `'${value}` : value
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
  }
  function file(name, ending) {
    const asked = new URLSearchParams(location.search)
    const about = ["symbol", "series", "model", "version", "studies"].map(key => asked.get(key))
    const parts = ["foretick", document.body.className, name, ...about].filter(Boolean)
    const slug = parts.map(part => part.replace(/[^\w.]+/g, "-").replace(/^-|-$/g, "")).join("-")
    return `${slug.slice(0, MOST)}.${ending}`
  }
  function save(blob, name) {
    const link = document.createElement("a")
    link.href = URL.createObjectURL(blob)
    link.download = name
    link.click()
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
  }

  function button(label, name, act) {
    const made = document.createElement("button")
    made.type = "button"
    made.textContent = label
    made.setAttribute("aria-label", `${label} of ${name}`)
    made.addEventListener("click", act)
    return made
  }
  function item(one) {
    const line = document.createElement("li"), name = document.createElement("span"), size = document.createElement("small")
    name.textContent = one.name
    size.textContent = `${one.count.toLocaleString("en")} row${one.count === 1 ? "" : "s"}`
    const csv = button("CSV", one.name, () => {
      const lines = one.rows().map(row => row.map(quoted).join(",") + "\r\n")
      save(new Blob(lines, {type: "text/csv;charset=utf-8"}), file(one.name, "csv"))
    })
    csv.disabled = one.count < 1
    line.append(name, size, csv)
    if (one.view) {
      line.append(button("PNG", one.name, async () => save(await one.view.export().to_blob(), file(one.name, "png"))))
    }
    return line
  }

  function show() {
    list.replaceChildren(...entries().map(item))
    dialog.querySelector("p").hidden = list.children.length > 0
  }
  // What is out of view is not drawn yet: it is asked for while the dialog is open (assets/bridge.js).
  function every(wanted) {
    dispatchEvent(new CustomEvent("foretick-every", {detail: wanted}))
  }
  document.getElementById("export").addEventListener("click", () => {
    show()
    dialog.showModal()
    every(true)
  })
  addEventListener("foretick-drawn", event => { if (dialog.open && event.detail === "*") show() })
  dialog.addEventListener("close", () => every(false))
  dialog.querySelector("[value=close]").addEventListener("click", () => dialog.close())
}
