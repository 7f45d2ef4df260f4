/** Dialogs: the browser keeps the focus inside, Escape closes, the focus goes back to where it was. */
import { h } from './dom.js'

/** Ask before something that can't be undone. Fulfils with whether to do it. */
export async function confirmThat(title, text, verb) {
  let isSure = false
  const yes = () => {
    isSure = true
    leave()
  }
  const { leave, left } = open(title, [h('p', {}, text)], (close) => [
    h('button', { type: 'button', class: 'quiet', onclick: close }, 'Cancel'),
    h('button', { type: 'button', class: 'danger', onclick: yes }, verb),
  ])
  await left
  return isSure
}

/** Show something until `Done`. While `mayLeave` says no, Escape is answered by `onStay` instead. */
export function showUntilDone(title, content, { mayLeave, onStay }) {
  const done = (close) => h('button', { type: 'button', class: 'primary', onclick: close }, 'Done')
  return open(title, content, done, { mayLeave, onStay }).left
}

/** Close whatever is open: the session is over. */
export function closeDialogs() {
  for (const leave of [...leaves]) leave()
}

const leaves = new Set()

function open(title, content, buttonsOf, { mayLeave = () => true, onStay = () => {} } = {}) {
  const before = document.activeElement
  let leave
  const left = new Promise((resolve) => {
    leave = () => {
      leaves.delete(leave)
      dialog.remove()
      if (before instanceof HTMLElement && before.isConnected) before.focus()
      resolve()
    }
  })
  const dialog = h(
    'dialog',
    { 'aria-labelledby': 'dialog-title' },
    h('h2', { id: 'dialog-title' }, title),
    content,
    h('div', { class: 'dialog-buttons' }, buttonsOf(leave)),
  )
  const tryToLeave = (event) => {
    event.preventDefault()
    if (mayLeave()) leave()
    else onStay()
  }
  dialog.addEventListener('keydown', (event) => event.key === 'Escape' && tryToLeave(event))
  dialog.addEventListener('cancel', tryToLeave)
  // Browsers let nobody be kept in a dialog: some close it all the same, whatever a page says.
  dialog.addEventListener('close', () => {
    if (dialog.isConnected && !mayLeave()) dialog.showModal()
    else leave()
  })
  leaves.add(leave)
  document.body.append(dialog)
  dialog.showModal()
  return { leave, left }
}
