/** A user, and what an admin may do with them: role, access, a new password, deletion. */
import { ROLES } from './add-user.js'
import { ask } from './api.js'
import { day, h, select } from './dom.js'
import { BAD_PASSWORD, newPassword } from './new-password.js'
import { oneAtATime } from './one-at-a-time.js'

/** Make the row; `change(one, request, { question, done, stay })` does what was chosen, after the question. */
export function userRow(one, isMe, change) {
  const { email, disabled, created_at: createdAt } = one
  return h(
    'tr',
    { class: disabled ? 'off' : null },
    h(
      'th',
      { scope: 'row' },
      h('span', { class: 'name' }, email.split('@')[0], h('wbr'), email.replace(/^[^@]*/, '')),
      isMe ? [' ', h('span', { class: 'tag' }, 'you')] : null,
      disabled ? [' ', h('span', { class: 'tag off' }, 'disabled')] : null,
    ),
    h('td', { 'data-label': 'Role' }, roleOf(one, isMe, change)),
    h('td', { 'data-label': 'Added' }, day(createdAt, '')),
    h(
      'td',
      { class: 'actions' },
      accessOf(one, isMe, change),
      // The own one has a page of its own, which asks for the current one.
      isMe ? null : passwordOf(one, change),
      removalOf(one, isMe, change),
    ),
  )
}

const send = (method, { id }, json) => ask(method, `users/${encodeURIComponent(id)}`, { json })

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
  const act = () =>
    change(one, () => send('PATCH', one, { role: roles.value }), {
      question: isMe && {
        title: 'Change your own role?',
        content: h('p', {}, `You become ${roles.value}, and are signed out everywhere.`),
        verb: 'Change my role',
      },
      done: `${email} is now ${roles.value}.`,
      stay: roles.id,
    })
  const apply = h(
    'button',
    {
      type: 'button',
      class: 'apply',
      hidden: true,
      'aria-label': `Apply role of ${email}`,
      onclick: isMe ? act : oneAtATime(act),
    },
    'Apply',
  )
  return h('div', { class: 'role-choice' }, roles, apply)
}

function accessOf(one, isMe, change) {
  const { id, email, disabled } = one
  const verb = disabled ? 'Enable' : 'Disable'
  const asksFirst = isMe && !disabled
  const act = () =>
    change(one, () => send('PATCH', one, { disabled: !disabled }), {
      question: asksFirst && {
        title: 'Disable yourself?',
        content: h('p', {}, 'You are signed out everywhere, and can’t sign in until another admin enables you.'),
        verb: 'Disable me',
      },
      done: `${email} is ${disabled ? 'enabled' : 'disabled'}.`,
      stay: `access-${id}`,
    })
  return h(
    'button',
    {
      type: 'button',
      class: 'quiet',
      id: `access-${id}`,
      'aria-label': `${verb} ${email}`,
      onclick: asksFirst ? act : oneAtATime(act),
    },
    verb,
  )
}

function passwordOf(one, change) {
  const { id, email } = one
  const act = () => {
    const next = newPassword('New password')
    const request = async () => {
      const answer = await send('PATCH', one, { password: next.control.value })
      if (answer.status !== 400) return answer
      next.stopAt(BAD_PASSWORD)
      return null
    }
    const content = [
      h('p', {}, `${email} is signed out everywhere, and signs in with this one from now on.`),
      h('div', { class: 'dialog-field' }, next.element),
    ]
    return change(one, request, {
      question: { title: 'Reset this password?', content, verb: 'Reset password', look: 'primary' },
      done: `The password of ${email} was reset.`,
      stay: `password-${id}`,
    })
  }
  return h(
    'button',
    {
      type: 'button',
      class: 'quiet',
      id: `password-${id}`,
      'aria-label': `Reset password of ${email}`,
      onclick: act,
    },
    'Reset password',
  )
}

function removalOf(one, isMe, change) {
  const { email } = one
  const text = `${email} can no longer sign in, and is signed out everywhere. This can’t be undone.`
  const act = () =>
    change(one, () => send('DELETE', one), {
      question: {
        title: isMe ? 'Delete yourself?' : 'Delete this user?',
        content: h('p', {}, text),
        verb: 'Delete user',
      },
      done: `${email} was deleted.`,
    })
  return h(
    'button',
    { type: 'button', class: 'quiet danger-text', 'aria-label': `Delete ${email}`, onclick: act },
    'Delete',
  )
}
