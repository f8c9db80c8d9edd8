// Buttons with data-action open the dialog of base.html; what is confirmed there is sent to /actions/NAME.
// A page may open it too: window.foretickAction({action, request, title, text, fields}).
{
  const dialog = document.getElementById("action-dialog")
  const form = dialog.querySelector("form")
  const fields = dialog.querySelector(".fields")
  const result = dialog.querySelector("output")
  const confirm = dialog.querySelector("[type=submit]")
  const cancel = dialog.querySelector("[value=cancel]")
  let asked = null
  let opener = null

  function field(one) {
    const label = document.createElement("label")
    const name = document.createElement("span")
    name.textContent = one.label
    const tag = {lines: "textarea", choice: "select"}[one.kind] || "input"
    const input = document.createElement(tag)
    if (one.kind === "number") { input.type = "number"; input.step = "any" }
    if (one.kind === "lines") { input.rows = 8; input.spellcheck = false }
    for (const choice of one.choices || []) input.add(new Option(choice, choice))
    input.name = "field-" + one.name
    input.value = one.value || ""
    if (!one.value && one.kind === "choice") input.selectedIndex = 0
    input.required = one.required === true
    label.append(name, input)
    return label
  }

  function open(ask) {
    asked = ask
    form.reset()
    dialog.querySelector("h2").textContent = ask.title
    dialog.querySelector(".text").textContent = ask.text
    fields.replaceChildren(...(ask.fields || []).map(field))
    result.textContent = ""
    result.className = ""
    confirm.hidden = false
    confirm.disabled = false
    confirm.textContent = ask.title
    cancel.textContent = "Cancel"
    dialog.showModal()
    ;(fields.querySelector("input,textarea,select") || form.elements.reason).focus()
  }

  function values() {
    const request = {...asked.request, reason: form.elements.reason.value.trim()}
    for (const one of asked.fields || []) {
      const value = form.elements["field-" + one.name].value
      request[one.name] = one.kind !== "number" ? value : value === "" ? null : Number(value)
    }
    return request
  }

  function say(text, kind) {
    result.textContent = text
    result.className = kind
  }

  async function send() {
    confirm.disabled = true
    say("Working…", "")
    const token = document.querySelector("meta[name=foretick-token]").content
    try {
      const reply = await fetch("/actions/" + asked.action, {
        method: "POST",
        headers: {"Content-Type": "application/json", "X-Foretick-Token": token},
        body: JSON.stringify(values()),
      })
      say((await reply.text()).trim(), reply.ok ? "good" : "bad")
      confirm.hidden = reply.ok
      if (reply.ok) {
        cancel.textContent = "Close"
        cancel.focus()
        document.dispatchEvent(new CustomEvent("foretick-action", {detail: asked}))
      }
    } catch (error) {
      say("The dashboard did not answer: it is unknown whether this was done.", "bad")
    }
    confirm.disabled = false
  }

  document.addEventListener("click", (event) => {
    // Bokeh's texts are in shadow roots: the path goes through them.
    const button = event.composedPath().find((one) => one.dataset && one.dataset.action)
    if (!button) return
    const {action, request, title, text, fields: more} = button.dataset
    opener = button
    open({action, request: JSON.parse(request), title, text, fields: more ? JSON.parse(more) : []})
  })
  dialog.addEventListener("close", () => { if (opener && opener.isConnected) opener.focus() })
  cancel.addEventListener("click", () => dialog.close())
  form.addEventListener("submit", (event) => {
    event.preventDefault()
    if (!confirm.disabled && !confirm.hidden) send()
  })
  window.foretickAction = open
}
