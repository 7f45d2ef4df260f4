/** API keys for SDKs and workers: which there are, and revoking one. */
import { ask } from './api.js'
import { copyable } from './copyable.js'
import { day, h, table } from './dom.js'
import { newKey } from './new-key.js'
import { serverList } from './server-list.js'

const TITLES = ['Key', 'Role', 'Environment', 'Ends', 'Last used']

/** Make the page. */
export function keysPage({ environments }) {
  const { elements, load, act } = serverList(
    () => ask('GET', 'api-keys'),
    (body) => contentOf(body.api_keys),
  )
  const revoke = ({ id, name }) => {
    const content = h('p', {}, `Whatever uses “${name}” is refused from now on. This can’t be undone.`)
    return act(() => ask('DELETE', `api-keys/${encodeURIComponent(id)}`), {
      question: { title: 'Revoke this key?', content, verb: 'Revoke key' },
      done: `${name} was revoked.`,
    })
  }

  const nameOf = (id) => (id === null ? 'All' : (environments.find((one) => one.id === id)?.name ?? id))
  const contentOf = (keys) =>
    keys.length === 0
      ? h('p', { class: 'empty' }, h('strong', {}, 'No API keys'), 'Make one for an SDK or a worker.')
      : table('API keys', TITLES, keys.map(rowOf))
  const rowOf = (key) =>
    h(
      'tr',
      {},
      h(
        'th',
        { scope: 'row' },
        h('span', { class: 'name' }, key.name),
        copyable(key.id, `ID of ${key.name}`, [`${key.prefix}_`, '_…']),
      ),
      h('td', { 'data-label': 'Role', class: 'capital' }, key.role),
      h('td', { 'data-label': 'Environment' }, nameOf(key.environment)),
      h('td', { 'data-label': 'Ends' }, day(key.expires_at, 'Never')),
      h('td', { 'data-label': 'Last used' }, day(key.last_used_at, 'Not yet')),
      h('td', { class: 'actions' }, revokeButton(key)),
    )
  const revokeButton = (key) =>
    h(
      'button',
      {
        type: 'button',
        class: 'quiet danger-text',
        'aria-label': `Revoke ${key.name}`,
        onclick: () => revoke(key),
      },
      'Revoke',
    )

  void load()
  return h(
    'div',
    {},
    h(
      'header',
      { class: 'page' },
      h('h1', { tabindex: '-1' }, 'API keys'),
      h('p', { class: 'page-lead' }, 'For SDKs and workers; they have nothing to do with people who sign in here.'),
    ),
    newKey(environments, load),
    elements,
  )
}
