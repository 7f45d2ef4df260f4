/** The users page: who may sign in, and as what. */
import { addUser, ROLES } from './add-user.js'
import { ask, sentenceFor } from './api.js'
import { confirmThat } from './dialog.js'
import { alertBox, announce, day, h, say, select } from './dom.js'
import { oneAtATime } from './one-at-a-time.js'

const LAST_ADMIN = 'This is the last admin. Make somebody else an admin first.'
const TITLES = ['User', 'Role', 'Added', 'Access']

/** Make the page. */
export function usersPage({ user }) {
  const alert = alertBox()
  const list = h('div', { class: 'card list', 'aria-busy': 'true' })
  const heading = h('h1', { tabindex: '-1' }, 'Users')

  async function load() {
    const answer = await ask('GET', 'users')
    list.removeAttribute('aria-busy')
    if (!answer.ok) return say(alert, sentenceFor(answer))
    list.replaceChildren(tableOf(answer.body.users))
  }
  // The rows are made anew, also after a refusal: what is shown is what is so. The focus stays on the control `stay`.
  async function change(method, { id, email }, { json, done, stay }) {
    say(alert, '')
    const answer = await ask(method, `users/${encodeURIComponent(id)}`, { json })
    if (answer.status === 401) return
    if (answer.ok) announce(done)
    else say(alert, answer.status === 409 ? `${email}: ${LAST_ADMIN}` : sentenceFor(answer))
    await load()
    const again = stay === undefined ? null : document.getElementById(stay)
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
          TITLES.map((title) => h('th', { scope: 'col' }, title)),
          h('td', {}),
        ),
      ),
      h(
        'tbody',
        {},
        users.map((one) => rowOf(one, one.id === user.id, change)),
      ),
    )

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
    addUser(load),
    alert,
    list,
  )
}

function rowOf(one, isMe, change) {
  const { email, disabled, created_at: createdAt } = one
  return h(
    'tr',
    { class: disabled ? 'off' : null },
    h(
      'th',
      { scope: 'row' },
      h('span', { class: 'name' }, email.split('@')[0], h('wbr'), email.replace(/^[^@]*/, '')),
      isMe ? ' ' : null,
      isMe ? h('span', { class: 'tag' }, 'you') : null,
    ),
    h('td', { 'data-label': 'Role' }, roleOf(one, isMe, change)),
    h('td', { 'data-label': 'Added' }, day(createdAt, '')),
    h(
      'td',
      { 'data-label': 'Access' },
      h('span', { class: disabled ? 'state off' : 'state on' }, disabled ? 'Disabled' : 'Active'),
    ),
    h('td', { class: 'actions' }, accessOf(one, isMe, change), removalOf(one, isMe, change)),
  )
}

// A choice alone changes nothing: an arrow key must not make anybody an admin.
function roleOf(one, isMe, change) {
  const { id, email, role } = one
  const roles = select(ROLES, role, {
    id: `role-${id}`,
    name: 'role',
    autocomplete: 'off',
    'aria-label': `Role of ${email}`,
    onchange() {
      apply.hidden = roles.value === role
    },
  })
  const apply = h('button', { type: 'button', class: 'apply', hidden: true, 'aria-label': `Apply role of ${email}` })
  apply.append('Apply')
  apply.addEventListener(
    'click',
    oneAtATime(async () => {
      const text = `You become ${roles.value}, and are signed out everywhere.`
      if (isMe && !(await confirmThat('Change your own role?', text, 'Change my role'))) return
      const done = `${email} is now ${roles.value}.`
      await change('PATCH', one, { json: { role: roles.value }, done, stay: roles.id })
    }),
  )
  return h('div', { class: 'role-choice' }, roles, apply)
}

function accessOf(one, isMe, change) {
  const { id, email, disabled } = one
  const verb = disabled ? 'Enable' : 'Disable'
  const toggle = async () => {
    const text = 'You are signed out everywhere, and can’t sign in until another admin enables you.'
    if (isMe && !disabled && !(await confirmThat('Disable yourself?', text, 'Disable me'))) return
    const done = `${email} is ${disabled ? 'enabled' : 'disabled'}.`
    await change('PATCH', one, { json: { disabled: !disabled }, done, stay: `access-${id}` })
  }
  return h(
    'button',
    {
      type: 'button',
      class: 'quiet',
      id: `access-${id}`,
      'aria-label': `${verb} ${email}`,
      onclick: oneAtATime(toggle),
    },
    verb,
  )
}

function removalOf(one, isMe, change) {
  const { email } = one
  const remove = async () => {
    const text = `${email} can no longer sign in, and is signed out everywhere. This can’t be undone.`
    const title = isMe ? 'Delete yourself?' : 'Delete this user?'
    if (await confirmThat(title, text, 'Delete user')) await change('DELETE', one, { done: `${email} was deleted.` })
  }
  return h(
    'button',
    { type: 'button', class: 'quiet danger-text', 'aria-label': `Delete ${email}`, onclick: oneAtATime(remove) },
    'Delete',
  )
}
