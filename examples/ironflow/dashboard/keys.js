/** API keys for SDKs and workers: which there are, and revoking one. */
import { ask, sentenceFor } from './api.js'
import { confirmThat } from './dialog.js'
import { alertBox, announce, day, h, say } from './dom.js'
import { newKey } from './new-key.js'
import { oneAtATime } from './one-at-a-time.js'

const TITLES = ['Key', 'Role', 'Environment', 'Ends', 'Last used']

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
      return h('p', { class: 'empty' }, h('strong', {}, 'No API keys'), 'Make one for an SDK or a worker.')
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
          TITLES.map((title) => h('th', { scope: 'col' }, title)),
          h('td', {}),
        ),
      ),
      h(
        'tbody',
        {},
        keys.map((key) =>
          h(
            'tr',
            {},
            h(
              'th',
              { scope: 'row' },
              h('span', { class: 'name' }, key.name),
              h('code', { class: 'id' }, `${key.prefix}_${key.id}_…`),
            ),
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
                  onclick: oneAtATime(() => revoke(key)),
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
    newKey(environments, load),
    alert,
    list,
  )
}
