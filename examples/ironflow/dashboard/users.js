/** The users page: who may sign in, and as what. */
import { ask, sentenceFor } from './api.js'
import { confirmThat } from './dialog.js'
import { alertBox, announce, day, field, h, say, select } from './dom.js'

const ROLES = [
  ['viewer', 'Viewer'],
  ['developer', 'Developer'],
  ['admin', 'Admin'],
]
const LAST_ADMIN = 'This is the last admin. Make somebody else an admin first.'

/** Make the page. */
export function usersPage({ user }) {
  const alert = alertBox()
  const list = h('div', { class: 'card list', 'aria-busy': 'true' })

  async function load() {
    const answer = await ask('GET', 'users')
    list.removeAttribute('aria-busy')
    if (!answer.ok) return say(alert, sentenceFor(answer))
    list.replaceChildren(tableOf(answer.body.users))
  }
  // The rows are made anew, also after a refusal: what is shown is what is so. The focus stays on the same control.
  async function change(method, { id, email }, json, done) {
    say(alert, '')
    const focused = document.activeElement?.id
    const answer = await ask(method, `users/${encodeURIComponent(id)}`, { json })
    if (answer.status === 401) return
    if (answer.ok) announce(done)
    else say(alert, answer.status === 409 ? `${email}: ${LAST_ADMIN}` : sentenceFor(answer))
    await load()
    const again = focused ? document.getElementById(focused) : null
    ;(again ?? heading).focus()
  }

  const tableOf = (users) =>
    h(
      'table',
      {},
      h('caption', { class: 'visually-hidden' }, 'Users'),
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          ['User', 'Role', 'Added', 'Access', ''].map((title) =>
            title === '' ? h('td', {}) : h('th', { scope: 'col' }, title),
          ),
        ),
      ),
      h(
        'tbody',
        {},
        users.map((one) => rowOf(one, one.id === user.id, change)),
      ),
    )

  const heading = h('h1', { tabindex: '-1' }, 'Users')
  void load()
  return h(
    'div',
    {},
    h(
      'header',
      { class: 'page' },
      heading,
      h('p', { class: 'page-lead' }, 'Who may sign in to this dashboard, and as what.'),
    ),
    addForm(load),
    alert,
    list,
  )
}

function rowOf(one, isMe, change) {
  const { id, email, role, disabled, created_at: createdAt } = one
  const roles = select(ROLES, role, {
    id: `role-${id}`,
    'aria-label': `Role of ${email}`,
    onchange: () => change('PATCH', one, { role: roles.value }, `${email} is now ${roles.value}.`),
  })
  const toggle = h(
    'button',
    {
      type: 'button',
      class: 'quiet',
      id: `access-${id}`,
      'aria-label': `${disabled ? 'Enable' : 'Disable'} ${email}`,
      onclick: () => change('PATCH', one, { disabled: !disabled }, `${email} is ${disabled ? 'enabled' : 'disabled'}.`),
    },
    disabled ? 'Enable' : 'Disable',
  )
  const remove = h(
    'button',
    {
      type: 'button',
      class: 'quiet danger-text',
      'aria-label': `Delete ${email}`,
      async onclick() {
        const text = `${email} can no longer sign in, and is signed out everywhere. This can’t be undone.`
        if (await confirmThat('Delete this user?', text, 'Delete user'))
          await change('DELETE', one, undefined, `${email} was deleted.`)
      },
    },
    'Delete',
  )
  return h(
    'tr',
    { class: disabled ? 'off' : null },
    h('th', { scope: 'row' }, email, isMe ? h('span', { class: 'tag' }, 'you') : null),
    h('td', { 'data-label': 'Role' }, roles),
    h('td', { 'data-label': 'Added' }, day(createdAt, '')),
    h(
      'td',
      { 'data-label': 'Access' },
      h('span', { class: disabled ? 'state off' : 'state on' }, disabled ? 'Disabled' : 'Active'),
    ),
    h('td', { class: 'actions' }, toggle, remove),
  )
}

function addForm(reload) {
  const email = field('E-mail', h('input', { type: 'email', required: true, autocomplete: 'off', spellcheck: 'false' }))
  const password = field(
    'Password',
    h('input', { type: 'password', required: true, autocomplete: 'new-password' }),
    'At least 15 characters. Hand it over; they can change it.',
  )
  const role = field('Role', select(ROLES, 'developer'))
  const alert = alertBox()
  const details = h('details', { class: 'card add' }, h('summary', {}, 'Add a user'))

  async function submit(event) {
    event.preventDefault()
    say(alert, '')
    const json = { email: email.control.value, password: password.control.value, role: role.control.value }
    const answer = await ask('POST', 'users', { json })
    const wrong = answer.body?.error?.field
    email.setError(wrong === 'email' ? 'Enter an e-mail address.' : '')
    password.setError(
      wrong === 'password' ? 'Use 15 to 256 characters, and not a password that is easily guessed.' : '',
    )
    if (wrong === 'email') return email.control.focus()
    if (wrong === 'password') return password.control.focus()
    if (answer.status === 409) return say(alert, 'There is already a user with this e-mail.')
    if (!answer.ok) return say(alert, sentenceFor(answer))
    announce(`${json.email} was added.`)
    form.reset()
    details.open = false
    await reload()
    details.firstElementChild.focus()
  }
  const form = h(
    'form',
    { novalidate: true, onsubmit: submit, 'aria-label': 'Add a user' },
    alert,
    h('div', { class: 'grid' }, email.element, password.element, role.element),
    h('button', { type: 'submit', class: 'primary submit' }, 'Add user'),
  )
  details.append(form)
  details.addEventListener('toggle', () => details.open && email.control.focus())
  return details
}
