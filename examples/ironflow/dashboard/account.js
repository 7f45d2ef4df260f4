/** The own password. */
import { ask, sentenceFor } from './api.js'
import { countDown } from './countdown.js'
import { alertBox, field, h, say } from './dom.js'
import { BAD_PASSWORD } from './new-password.js'
import { oneAtATime } from './one-at-a-time.js'

/** Make the page; `onPasswordChanged` runs when all sessions have ended. */
export function accountPage({ user, onPasswordChanged }) {
  const secret = (name, autocomplete) => h('input', { type: 'password', name, required: true, autocomplete })
  const current = field('Current password', secret('current_password', 'current-password'))
  const next = field(
    'New password',
    secret('new_password', 'new-password'),
    'At least 15 characters. A few words that don’t belong together are fine.',
  )
  const again = field('New password, again', secret('new_password_again', 'new-password'))
  const alert = alertBox()
  const button = h('button', { type: 'submit', class: 'primary' }, 'Change password')

  async function submit() {
    if (button.getAttribute('aria-disabled') === 'true') return
    say(alert, '')
    if (current.control.value === '') return current.stopAt('Enter your current password.')
    if (next.control.value !== again.control.value) return again.stopAt('The two are not the same.')
    const json = { current_password: current.control.value, new_password: next.control.value }
    const answer = await ask('POST', 'auth/password', { json })
    if (answer.ok) return onPasswordChanged()
    if (answer.status === 403) return current.stopAt('This is not your current password.')
    if (answer.status === 400) return next.stopAt(BAD_PASSWORD)
    if (answer.status === 429) return void countDown(alert, button, answer.retryAfter)
    say(alert, sentenceFor(answer))
  }
  return h(
    'div',
    {},
    h(
      'header',
      { class: 'page' },
      h('h1', { tabindex: '-1' }, 'Password'),
      h('p', { class: 'page-lead' }, `For ${user.email}. Changing it signs you out everywhere.`),
    ),
    h(
      'form',
      { class: 'card narrow', novalidate: true, onsubmit: oneAtATime(submit), 'aria-label': 'Change password' },
      // Password managers want to know whose it is.
      h('input', { type: 'text', name: 'email', hidden: true, autocomplete: 'username', value: user.email }),
      alert,
      current.element,
      next.element,
      again.element,
      button,
    ),
  )
}
