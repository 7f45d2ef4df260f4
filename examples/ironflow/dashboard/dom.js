/** Elements by functions: text is always text, never markup. */

/** Make an element. `on…` members are listeners, `null` and `false` are left out; children may be text, elements, lists. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value)
    else if (name === 'value') element.value = value
    else element.setAttribute(name, value === true ? '' : String(value))
  }
  element.append(...children.flat().filter((child) => child !== null && child !== false))
  return element
}

/** Say something to those who listen instead of looking. */
export function announce(text) {
  const status = document.getElementById('status')
  status.textContent = ''
  // A change is spoken, the same text again is not.
  setTimeout(() => {
    status.textContent = text
  }, 50)
}

/** A place for what went wrong: read out when it changes. */
export function alertBox() {
  return h('p', { class: 'alert', role: 'alert', hidden: true })
}

/** Show a sentence in such a place, or (`''`) none. */
export function say(box, text) {
  box.hidden = text === ''
  box.textContent = text
}

let count = 0

/** A control with its label, a hint and a place for its own error; a password's text can be shown by `reveal(true)`. */
export function field(label, control, hint) {
  count += 1
  const id = `field-${count}`
  control.id = id
  const help = hint === undefined ? null : h('p', { class: 'hint', id: `${id}-hint` }, hint)
  const error = h('p', { class: 'field-error', id: `${id}-error` })
  control.setAttribute('aria-describedby', [help?.id, error.id].filter(Boolean).join(' '))
  const { inside, reveal } = control.type === 'password' ? withReveal(control, label) : { inside: control }
  const element = h('div', { class: 'field' }, h('label', { for: id }, label), inside, help, error)
  const setError = (text) => {
    error.textContent = text
    if (text === '') control.removeAttribute('aria-invalid')
    else control.setAttribute('aria-invalid', 'true')
  }
  control.addEventListener('input', () => setError(''))
  const stopAt = (text) => {
    setError(text)
    control.focus()
  }
  return { element, control, setError, stopAt, reveal }
}

function withReveal(control, label) {
  const onclick = () => reveal(control.type === 'password')
  const button = h('button', { type: 'button', class: 'reveal', 'aria-controls': control.id, onclick })
  const reveal = (isShown) => {
    control.type = isShown ? 'text' : 'password'
    const hidden = h('span', { class: 'visually-hidden' }, ` ${label.toLowerCase()}`)
    button.replaceChildren(isShown ? 'Hide' : 'Show', hidden)
  }
  reveal(false)
  return { inside: h('div', { class: 'with-reveal' }, control, button), reveal }
}

/** A choice. `options` are pairs of value and text. */
export function select(options, chosen, attributes = {}) {
  const element = h(
    'select',
    attributes,
    // As an attribute: a form that is reset goes back to it.
    options.map(([value, text]) => h('option', { value, selected: value === chosen }, text)),
  )
  return element
}

/** A date as people read it, or a word for none. */
export function day(text, none) {
  if (text === null) return none
  const options = { year: 'numeric', month: 'short', day: 'numeric' }
  return h('time', { datetime: text }, new Date(text).toLocaleDateString(undefined, options))
}

/** A table whose last column holds what can be done with a row; `rows` are elements. */
export function table(caption, titles, rows) {
  const columns = [...titles, h('span', { class: 'visually-hidden' }, 'Actions')]
  const head = columns.map((title) => h('th', { scope: 'col' }, title))
  return h(
    'table',
    {},
    h('caption', { class: 'visually-hidden' }, caption),
    h('thead', {}, h('tr', {}, head)),
    h('tbody', {}, rows),
  )
}
