/** The form that adds a user. */
import { ask, sentenceFor } from './api.js'
import { disclosure } from './disclosure.js'
import { alertBox, announce, field, h, say, select } from './dom.js'
import { BAD_PASSWORD, newPassword } from './new-password.js'
import { oneAtATime } from './one-at-a-time.js'

/** The roles, lowest first: value and name. */
export const ROLES = [
  ['viewer', 'Viewer'],
  ['developer', 'Developer'],
  ['admin', 'Admin'],
]

const RIGHTS = 'Viewers look, developers change functions, admins also manage users and keys.'

/** Make the form behind its button; `reload` shows the users as they are now. */
export function addUser(reload) {
  const email = field(
    'Email',
    h('input', { type: 'email', name: 'email', required: true, autocomplete: 'off', spellcheck: 'false' }),
  )
  const password = newPassword('Password')
  // The lowest: more is somebody's choice.
  const role = field('Role', select(ROLES, 'viewer', { name: 'role' }), RIGHTS)
  const alert = alertBox()

  async function submit() {
    say(alert, '')
    const json = { email: email.control.value, password: password.control.value, role: role.control.value }
    const answer = await ask('POST', 'users', { json })
    const wrong = answer.body?.error?.field
    if (wrong === 'email') return email.stopAt('Enter an email address.')
    if (wrong === 'password') return password.stopAt(BAD_PASSWORD)
    if (answer.status === 409) return email.stopAt('There is already a user with this email.')
    if (!answer.ok) return say(alert, sentenceFor(answer))
    announce(`${json.email} was added.`)
    await reload()
    close()
  }
  const form = h(
    'form',
    {
      id: 'add-user',
      novalidate: true,
      onsubmit: oneAtATime(submit),
      onreset: () => password.reveal(false),
      'aria-label': 'New user',
    },
    alert,
    h('div', { class: 'grid' }, email.element, password.element, role.element),
    h('button', { type: 'submit', class: 'primary submit' }, 'Create user'),
  )
  const { element, close } = disclosure('Add user', form, email.control)
  return element
}
