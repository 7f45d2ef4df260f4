/** API keys for SDKs and workers: issue one, see it once, revoke it. */
import { ask, sentenceFor } from './api.js'
import { confirmThat, showUntilDone } from './dialog.js'
import { alertBox, announce, day, field, h, say, select } from './dom.js'

const ROLES = [
  ['viewer', 'Viewer'],
  ['developer', 'Developer'],
  ['admin', 'Admin'],
]
const ENDS = [
  ['', 'Never'],
  ['30', 'In 30 days'],
  ['90', 'In 90 days'],
  ['365', 'In a year'],
]

/** Make the page. */
export function keysPage({ environments }) {
  const alert = alertBox()
  const list = h('div', { class: 'card list', 'aria-busy': 'true' })
  const heading = h('h1', { tabindex: '-1' }, 'API keys')

  async function load() {
    const answer = await ask('GET', 'api-keys')
    list.removeAttribute('aria-busy')
    if (!answer.ok) return say(alert, sentenceFor(answer))
    list.replaceChildren(contentOf(answer.body.api_keys))
  }
  async function revoke({ id, name }) {
    say(alert, '')
    const text = `Whatever uses “${name}” is refused from now on. This can’t be undone.`
    if (!(await confirmThat('Revoke this key?', text, 'Revoke key'))) return
    const answer = await ask('DELETE', `api-keys/${encodeURIComponent(id)}`)
    if (answer.ok) announce(`${name} was revoked.`)
    else say(alert, sentenceFor(answer))
    await load()
    heading.focus()
  }

  const nameOf = (id) => (id === null ? 'All' : (environments.find((one) => one.id === id)?.name ?? id))
  const contentOf = (keys) => {
    if (keys.length === 0)
      return h('p', { class: 'empty' }, h('strong', {}, 'No API keys'), 'Issue one for an SDK or a worker.')
    const titles = ['Key', 'Role', 'Environment', 'Ends', 'Last used', '']
    return h(
      'table',
      {},
      h('caption', { class: 'visually-hidden' }, 'API keys'),
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          titles.map((title) => (title === '' ? h('td', {}) : h('th', { scope: 'col' }, title))),
        ),
      ),
      h(
        'tbody',
        {},
        keys.map((key) =>
          h(
            'tr',
            {},
            h('th', { scope: 'row' }, key.name, h('code', { class: 'id' }, `${key.prefix}_${key.id}_…`)),
            h('td', { 'data-label': 'Role', class: 'capital' }, key.role),
            h('td', { 'data-label': 'Environment' }, nameOf(key.environment)),
            h('td', { 'data-label': 'Ends' }, day(key.expires_at, 'Never')),
            h('td', { 'data-label': 'Last used' }, day(key.last_used_at, 'Not yet')),
            h(
              'td',
              { class: 'actions' },
              h(
                'button',
                {
                  type: 'button',
                  class: 'quiet danger-text',
                  'aria-label': `Revoke ${key.name}`,
                  onclick: () => revoke(key),
                },
                'Revoke',
              ),
            ),
          ),
        ),
      ),
    )
  }

  void load()
  return h(
    'div',
    {},
    h(
      'header',
      { class: 'page' },
      heading,
      h('p', { class: 'page-lead' }, 'For SDKs and workers; they have nothing to do with people who sign in here.'),
    ),
    issueForm(environments, load),
    alert,
    list,
  )
}

function issueForm(environments, reload) {
  const name = field(
    'Name',
    h('input', {
      type: 'text',
      required: true,
      maxlength: 255,
      autocomplete: 'off',
      placeholder: 'worker in production',
    }),
  )
  const role = field('Role', select(ROLES, 'developer'))
  const environment = field('Environment', select([['', 'All'], ...environments.map((one) => [one.id, one.name])], ''))
  const ends = field('Ends', select(ENDS, '90'))
  const alert = alertBox()
  const details = h('details', { class: 'card add' }, h('summary', {}, 'Issue a key'))

  async function submit(event) {
    event.preventDefault()
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
    if (!answer.ok) return say(alert, sentenceFor(answer))
    form.reset()
    details.open = false
    await reload()
    details.firstElementChild.focus()
    await showKey(json.name, answer.body.key)
  }
  const form = h(
    'form',
    { novalidate: true, onsubmit: submit, 'aria-label': 'Issue a key' },
    alert,
    h('div', { class: 'grid' }, name.element, role.element, environment.element, ends.element),
    h('button', { type: 'submit', class: 'primary submit' }, 'Issue key'),
  )
  details.append(form)
  details.addEventListener('toggle', () => details.open && name.control.focus())
  return details
}

function showKey(name, key) {
  const shown = h('textarea', {
    readonly: true,
    rows: 2,
    class: 'key',
    'aria-label': `Key ${name}`,
    onfocus: () => shown.select(),
    value: key,
  })
  const copied = h('p', { class: 'hint', role: 'status' })
  const copy = h(
    'button',
    {
      type: 'button',
      async onclick() {
        shown.select()
        const done = await navigator.clipboard?.writeText(key).then(
          () => true,
          () => false,
        )
        copied.textContent = done ? 'Copied.' : 'Select the key and copy it.'
      },
    },
    'Copy',
  )
  return showUntilDone('Copy this key now', [
    h('p', {}, 'It is shown this once. Nobody can see it again, neither you nor the server.'),
    h('div', { class: 'copy' }, shown, copy),
    copied,
  ])
}
