/** The users page: who may sign in, and as what. */
import { addUser } from './add-user.js'
import { ask, sentenceFor } from './api.js'
import { h, table } from './dom.js'
import { serverList } from './server-list.js'
import { userFinder } from './user-finder.js'
import { userRow } from './user-row.js'

const LAST_ADMIN = 'This is the last admin who can sign in. Make somebody else an admin first.'
const TITLES = ['User', 'Role', 'Added']

/** Make the page. */
export function usersPage({ user }) {
  const isMe = ({ id }) => id === user.id
  const tableOf = (users) =>
    table(
      'Users',
      TITLES,
      users.map((one) => userRow(one, isMe(one), change)),
    )
  const finder = userFinder(tableOf)
  const { elements, load, act } = serverList(
    () => ask('GET', 'users'),
    // Oneself, then whoever came last.
    ({ users }) => finder.show([...users.filter(isMe), ...users.filter((one) => !isMe(one)).reverse()]),
  )
  const change = (one, request, how) => {
    const sentence = (answer) => `${one.email}: ${answer.status === 409 ? LAST_ADMIN : sentenceFor(answer)}`
    return act(request, { ...how, sentence })
  }

  void load()
  return h(
    'div',
    {},
    h(
      'header',
      { class: 'page' },
      h('h1', { tabindex: '-1' }, 'Users'),
      h('p', { class: 'page-lead' }, 'Who may sign in to this dashboard, and as what.'),
    ),
    addUser(() => {
      finder.clear()
      return load()
    }),
    finder.element,
    elements,
  )
}
