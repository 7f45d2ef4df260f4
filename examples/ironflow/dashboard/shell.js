/** The frame around every page: navigation, who is signed in. */
import { alertBox, h, say } from './dom.js'
import { oneAtATime } from './one-at-a-time.js'

/** Make the frame around `content`. */
export function shell(state, pages, current, content) {
  const { user, dev } = state
  const links = pages.map(({ path, title }) =>
    h('li', {}, h('a', { href: `#/${path}`, 'aria-current': path === current.path ? 'page' : null }, title)),
  )
  const alert = alertBox()
  const signOut = oneAtATime(async () => {
    say(alert, '')
    say(alert, await state.onSignOut())
  })
  return h(
    'div',
    { class: 'shell' },
    h('a', { class: 'skip', href: '#content', onclick: toContent }, 'Skip to content'),
    h(
      'aside',
      {},
      h(
        'div',
        { class: 'brand' },
        h('img', { src: '/dashboard/icon.svg', alt: '', width: 28, height: 28 }),
        'Ironflow',
      ),
      dev ? h('p', { class: 'badge' }, 'Dev mode: no sign-in') : null,
      h('nav', { 'aria-label': 'Main' }, h('ul', {}, links)),
      h(
        'div',
        { class: 'who' },
        h(
          'p',
          {},
          h('span', { class: 'email', title: user.email }, user.email),
          h('span', { class: 'role' }, user.role),
        ),
        dev ? null : h('button', { type: 'button', class: 'quiet', onclick: signOut }, 'Sign out'),
        alert,
      ),
    ),
    h('main', { id: 'content', tabindex: '-1' }, content),
  )
}

// The address after # is the page: it must stay.
function toContent(event) {
  event.preventDefault()
  document.getElementById('content').focus()
}
