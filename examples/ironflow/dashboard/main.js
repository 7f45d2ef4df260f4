/** The dashboard from its first moment: is a login needed, is there a session, which page. */
import { accountPage } from './account.js'
import {
  ask,
  clearToken,
  currentEnvironment,
  isLoggedIn,
  onTokenChange,
  sentenceFor,
  setEnvironment,
  whenSessionEnds,
} from './api.js'
import { closeDialogs } from './dialog.js'
import { announce, h } from './dom.js'
import { functionsPage } from './functions.js'
import { keysPage } from './keys.js'
import { loginPage } from './login.js'
import { oneAtATime } from './one-at-a-time.js'
import { shell } from './shell.js'
import { usersPage } from './users.js'

const app = document.getElementById('app')
const PAGES = [
  { path: 'functions', title: 'Functions', make: functionsPage, mayOpen: () => true },
  { path: 'users', title: 'Users', make: usersPage, mayOpen: ({ user }) => user.role === 'admin' },
  { path: 'keys', title: 'API keys', make: keysPage, mayOpen: ({ user }) => user.role === 'admin' },
  { path: 'password', title: 'Password', make: accountPage, mayOpen: ({ dev }) => !dev },
]

// Who is signed in, and where; `null` on the login page.
let state = null

async function start() {
  const capabilities = await ask('GET', 'capabilities', { judge: 'caller' })
  if (!capabilities.ok) return showTrouble(capabilities)
  const dev = !capabilities.body.auth_required
  if (!dev) {
    if (!isLoggedIn()) return showLogin()
    const { ok, status } = await ask('GET', 'auth/validate', { judge: 'caller' })
    if (status === 401) return dropSession()
    if (!ok) return showTrouble({ status })
  }
  await enter(dev)
}

async function enter(dev) {
  const [me, list] = await Promise.all([ask('GET', 'me'), ask('GET', 'environments')])
  if (me.status === 401 || list.status === 401) return
  if (!me.ok || !list.ok) return showTrouble(me.ok ? list : me)
  const { environments } = list.body
  if (!environments.some(({ id }) => id === currentEnvironment())) setEnvironment(environments[0].id)
  state = {
    user: me.body.user,
    role: me.body.user.role,
    environments,
    dev,
    environmentName: () => environments.find(({ id }) => id === currentEnvironment()).name,
    onEnvironment,
    onSignOut: signOut,
    onPasswordChanged: () => endSession('Your password was changed. Sign in with the new one.'),
  }
  if (!pageOf(location.hash)) history.replaceState(null, '', '#/functions')
  render()
}

function pageOf(hash) {
  return PAGES.find((page) => hash === `#/${page.path}` && page.mayOpen(state))
}

function render() {
  const page = pageOf(location.hash) ?? PAGES[0]
  document.title = `${page.title} · Ironflow`
  const pages = PAGES.filter(({ mayOpen }) => mayOpen(state))
  app.replaceChildren(shell(state, pages, page, page.make(state)))
}

function onEnvironment(id) {
  setEnvironment(id)
  render()
  document.getElementById('environment').focus()
  announce(`Now in ${state.environmentName()}.`)
}

function showLogin(notice) {
  state = null
  history.replaceState(null, '', '#/login')
  document.title = 'Sign in · Ironflow'
  app.replaceChildren(loginPage(onLogin, notice))
}

async function onLogin() {
  await enter(false)
  if (state !== null) app.querySelector('h1').focus()
}

// The cookie of a session that is no good: only the server can take it away, and not after the next one has come.
async function dropSession() {
  clearToken()
  await ask('POST', 'auth/logout', { judge: 'caller' })
  endSession('Your session is no longer good. Please sign in again.')
}

function endSession(notice) {
  clearToken()
  closeDialogs()
  showLogin(notice)
}

// Says what is wrong where it did not work: nobody must leave in the belief of being signed out.
async function signOut() {
  const answer = await ask('POST', 'auth/logout', { judge: 'caller' })
  if (answer.status !== 204 && answer.status !== 401) return `You are still signed in. ${sentenceFor(answer)}`
  endSession('You are signed out.')
  return ''
}

function showTrouble(answer) {
  state = null
  const again = h('button', { type: 'button', class: 'primary', onclick: oneAtATime(start) }, 'Try again')
  const card = h(
    'div',
    { class: 'card login', role: 'alert' },
    h('h1', {}, 'Ironflow'),
    h('p', {}, sentenceFor(answer)),
    again,
  )
  app.replaceChildren(h('main', { class: 'login-page' }, card))
  again.focus()
}

whenSessionEnds(() => endSession('Your session has ended. Please sign in again.'))
onTokenChange(() => {
  if (isLoggedIn() || state !== null) void start()
})
addEventListener('hashchange', () => {
  if (state === null) return
  if (!pageOf(location.hash)) history.replaceState(null, '', '#/functions')
  render()
  app.querySelector('h1').focus()
})
void start()
