/** The login page. */
import { ask, keepToken, sentenceFor } from './api.js'
import { countDown } from './countdown.js'
import { alertBox, field, h, say } from './dom.js'

/** Make the page; `onLogin` runs once there is a session, `notice` is why one is here. */
export function loginPage(onLogin, notice) {
  const email = field(
    'E-mail',
    h('input', { type: 'email', autocomplete: 'username', required: true, spellcheck: 'false' }),
  )
  const password = field('Password', h('input', { type: 'password', autocomplete: 'current-password', required: true }))
  const alert = alertBox()
  const button = h('button', { type: 'submit', class: 'primary wide' }, 'Sign in')

  async function submit(event) {
    event.preventDefault()
    if (button.getAttribute('aria-disabled') === 'true') return
    say(alert, '')
    email.setError(email.control.value.trim() === '' ? 'Enter your e-mail.' : '')
    password.setError(password.control.value === '' ? 'Enter your password.' : '')
    const empty = [email, password].find(({ control }) => control.value.trim() === '')
    if (empty !== undefined) return empty.control.focus()
    button.setAttribute('aria-disabled', 'true')
    const json = { email: email.control.value, password: password.control.value }
    const answer = await ask('POST', 'auth/login', { json, judge: 'caller' })
    button.removeAttribute('aria-disabled')
    if (answer.ok) {
      keepToken(answer.body.token)
      return onLogin()
    }
    if (answer.status === 429) return countDown(alert, button, answer.retryAfter)
    say(alert, answer.status === 401 ? 'E-mail or password is wrong.' : sentenceFor(answer))
    password.control.focus()
    password.control.select()
  }

  const form = h('form', { class: 'card login', novalidate: true, onsubmit: submit, 'aria-labelledby': 'login-title' })
  form.append(
    h('div', { class: 'brand' }, h('img', { src: '/dashboard/icon.svg', alt: '', width: 36, height: 36 }), 'Ironflow'),
    h('h1', { id: 'login-title', tabindex: '-1' }, 'Sign in'),
    notice === undefined ? '' : h('p', { class: 'notice', role: 'status' }, notice),
    alert,
    email.element,
    password.element,
    button,
  )
  queueMicrotask(() => email.control.focus())
  return h('main', { class: 'login-page' }, form)
}
