/** The login page. */
import { ask, keepToken, sentenceFor } from './api.js'
import { countDown } from './countdown.js'
import { alertBox, field, h, say } from './dom.js'
import { oneAtATime } from './one-at-a-time.js'

/** Make the page; `onLogin` runs once there is a session, `notice` is why one is here. */
export function loginPage(onLogin, notice) {
  const email = field(
    'Email',
    h('input', { type: 'email', name: 'email', autocomplete: 'username', required: true, spellcheck: 'false' }),
  )
  const password = field(
    'Password',
    h('input', { type: 'password', name: 'password', autocomplete: 'current-password', required: true }),
  )
  const alert = alertBox()
  const button = h('button', { type: 'submit', class: 'primary wide' }, 'Sign in')

  // Another account is not closed because this one is.
  let release = () => {}
  let closed = null
  email.control.addEventListener('input', () => closed !== null && email.control.value !== closed && release())

  async function submit() {
    if (button.getAttribute('aria-disabled') === 'true') return
    say(alert, '')
    email.setError(email.control.value.trim() === '' ? 'Enter your email.' : '')
    password.setError(password.control.value === '' ? 'Enter your password.' : '')
    const empty = [email, password].find(({ control }) => control.value.trim() === '')
    if (empty !== undefined) return empty.control.focus()
    const json = { email: email.control.value, password: password.control.value }
    const answer = await ask('POST', 'auth/login', { json, judge: 'caller' })
    if (answer.ok) {
      keepToken(answer.body.token)
      return onLogin()
    }
    if (answer.status === 429) {
      closed = json.email
      release = countDown(alert, button, answer.retryAfter)
      return
    }
    say(alert, answer.status === 401 ? 'Email or password is wrong.' : sentenceFor(answer))
    password.control.focus()
    password.control.select()
  }

  const form = h('form', {
    class: 'card login',
    novalidate: true,
    onsubmit: oneAtATime(submit),
    'aria-labelledby': 'login-title',
  })
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
