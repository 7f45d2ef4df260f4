/** A long list of users, a part at a time, and a field that finds some of them. */
import { h } from './dom.js'

// Fewer are seen at a glance.
const MANY = 10
const PART = 100

/** Make it. `tableOf` makes a table of some users; `show` hands back the place where those that are looked for are. */
export function userFinder(tableOf) {
  let users = []
  let shown = PART
  const count = h('p', { class: 'hint', role: 'status' })
  const input = h('input', {
    type: 'search',
    id: 'find-users',
    placeholder: 'Email or role',
    autocomplete: 'off',
    spellcheck: 'false',
    oninput() {
      shown = PART
      refresh()
    },
  })
  const element = h('div', { class: 'finder', hidden: true }, h('label', { for: input.id }, 'Find'), input, count)
  const place = h('div')

  function refresh() {
    const text = input.value.trim().toLowerCase()
    const found = users.filter((one) => wordsOf(one).includes(text))
    element.hidden = users.length <= MANY
    count.textContent =
      found.length === users.length ? `${users.length} users` : `${found.length} of ${users.length} users`
    if (found.length === 0)
      place.replaceChildren(h('p', { class: 'empty' }, `Nobody is called “${input.value.trim()}”.`))
    else place.replaceChildren(tableOf(found.slice(0, shown)), found.length > shown ? more(found.length - shown) : '')
  }
  const more = (rest) =>
    h(
      'p',
      { class: 'more' },
      h(
        'button',
        {
          type: 'button',
          onclick() {
            const next = shown
            shown += PART
            refresh()
            place.querySelectorAll('tbody tr')[next].querySelector('select').focus()
          },
        },
        `Show ${Math.min(rest, PART)} more`,
      ),
    )
  return {
    element,
    show(all) {
      users = all
      if (users.length <= MANY) input.value = ''
      refresh()
      return place
    },
    clear() {
      input.value = ''
    },
  }
}

function wordsOf({ email, role, disabled }) {
  return `${email} ${role}${disabled ? ' disabled' : ''}`
}
