/** The form that adds a user. */
import { ask, sentenceFor } from './api.js'
import { disclosure } from './disclosure.js'
import { alertBox, announce, field, h, say, select } from './dom.js'
import { oneAtATime } from './one-at-a-time.js'

/** The roles, lowest first: value and name. */
export const ROLES = [
  ['viewer', 'Viewer'],
  ['developer', 'Developer'],
  ['admin', 'Admin'],
]

/** Make the form behind its button; `reload` shows the users as they are now. */
export function addUser(reload) {
  const email = field(
    'Email',
    h('input', { type: 'email', name: 'email', required: true, autocomplete: 'off', spellcheck: 'false' }),
  )
  const password = field(
    'Password',
    h('input', { type: 'password', name: 'password', required: true, autocomplete: 'new-password' }),
    'At least 15 characters. Hand it over; they can change it.',
  )
  const role = field('Role', select(ROLES, 'developer', { name: 'role' }))
  const alert = alertBox()

  async function submit() {
    say(alert, '')
    const json = { email: email.control.value, password: password.control.value, role: role.control.value }
    const answer = await ask('POST', 'users', { json })
    const wrong = answer.body?.error?.field
    email.setError(wrong === 'email' ? 'Enter an email address.' : '')
    password.setError(
      wrong === 'password' ? 'Use 15 to 256 characters, and not a password that is easily guessed.' : '',
    )
    if (wrong === 'email') return email.control.focus()
    if (wrong === 'password') return password.control.focus()
    if (answer.status === 409) return say(alert, 'There is already a user with this email.')
    if (!answer.ok) return say(alert, sentenceFor(answer))
    announce(`${json.email} was added.`)
    await reload()
    close()
  }
  const form = h(
    'form',
    { id: 'add-user', novalidate: true, onsubmit: oneAtATime(submit), 'aria-label': 'New user' },
    alert,
    h('div', { class: 'grid' }, email.element, password.element, role.element),
    h('button', { type: 'submit', class: 'primary submit' }, 'Create user'),
  )
  const { element, close } = disclosure('Add user', form, email.control)
  return element
}
