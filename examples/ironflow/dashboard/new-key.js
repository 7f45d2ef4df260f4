/** The form that makes an API key, and the dialog that shows it this once. */
import { ROLES } from './add-user.js'
import { ask, sentenceFor } from './api.js'
import { showUntilDone } from './dialog.js'
import { disclosure } from './disclosure.js'
import { alertBox, field, h, say, select } from './dom.js'
import { oneAtATime } from './one-at-a-time.js'

const ENDS = [
  ['', 'Never'],
  ['30', 'In 30 days'],
  ['90', 'In 90 days'],
  ['365', 'In a year'],
]

/** Make the form behind its button; `reload` shows the keys as they are now. */
export function newKey(environments, reload) {
  const name = field(
    'Name',
    h('input', {
      type: 'text',
      name: 'name',
      required: true,
      maxlength: 255,
      autocomplete: 'off',
      placeholder: 'worker in production',
    }),
  )
  const role = field('Role', select(ROLES, 'viewer', { name: 'role' }))
  const all = [['', 'All'], ...environments.map((one) => [one.id, one.name])]
  const environment = field('Environment', select(all, '', { name: 'environment' }))
  const ends = field('Ends', select(ENDS, '90', { name: 'ends' }))
  const alert = alertBox()

  async function submit() {
    say(alert, '')
    if (name.control.value.trim() === '') {
      name.setError('Enter a name.')
      return name.control.focus()
    }
    const days = Number(ends.control.value)
    const json = {
      name: name.control.value,
      role: role.control.value,
      ...(environment.control.value !== '' && { environment: environment.control.value }),
      ...(days > 0 && { expires_at: new Date(Date.now() + days * 86_400_000).toISOString() }),
    }
    const answer = await ask('POST', 'api-keys', { json })
    if (answer.status === 409) return say(alert, 'There are too many keys. Revoke one that nobody uses any more.')
    if (!answer.ok) return say(alert, sentenceFor(answer))
    await reload()
    close()
    void showKey(json.name, answer.body.key)
  }
  const form = h(
    'form',
    { id: 'new-key', novalidate: true, onsubmit: oneAtATime(submit), 'aria-label': 'Key' },
    alert,
    h('div', { class: 'grid' }, name.element, role.element, environment.element, ends.element),
    h('button', { type: 'submit', class: 'primary submit' }, 'Create key'),
  )
  const { element, close } = disclosure('New key', form, name.control)
  return element
}

async function showKey(name, key) {
  const shown = h('textarea', {
    readonly: true,
    rows: 1,
    class: 'key',
    spellcheck: 'false',
    'aria-label': `Key ${name}`,
    onfocus: () => shown.select(),
    oncopy: () => told('Copied.'),
    value: key,
  })
  const hint = h('p', { class: 'hint', role: 'status' })
  let isCopied = false
  const told = (text) => {
    isCopied ||= text === 'Copied.'
    hint.textContent = text
  }
  const copy = async () => {
    shown.select()
    const isDone = await navigator.clipboard?.writeText(key).then(
      () => true,
      () => false,
    )
    told(isDone ? 'Copied.' : 'Select the key and copy it.')
  }
  // All of it, however narrow the screen.
  const showAll = () => {
    shown.rows = 1
    while (shown.scrollHeight > shown.clientHeight && shown.rows < 20) shown.rows += 1
  }
  const left = showUntilDone(
    'Copy this key now',
    [
      h('p', {}, 'It is shown this once. Nobody can see it again, neither you nor the server.'),
      h('div', { class: 'copy' }, shown, h('button', { type: 'button', onclick: copy }, 'Copy')),
      hint,
    ],
    { mayLeave: () => isCopied, onStay: () => told('Copy the key first, or choose Done: it is not shown again.') },
  )
  showAll()
  addEventListener('resize', showAll)
  await left
  removeEventListener('resize', showAll)
}
