/** Dialogs: the browser keeps the focus inside, Escape closes, the focus goes back to where it was. */
import { h } from './dom.js'
import { oneAtATime } from './one-at-a-time.js'

/**
 * Ask before something is done, and do it while the dialog is there. Fulfils with what `act` hands back; with `null` where
 * nobody wants it. Where `act` itself hands back `null`, the dialog goes on asking.
 */
export async function confirmThat({ title, content, verb, look = 'danger' }, act) {
  let result = null
  let isActing = false
  const submit = oneAtATime(async () => {
    isActing = true
    result = await act()
    isActing = false
    if (result !== null) leave()
  })
  const form = (close) =>
    h(
      'form',
      { novalidate: true, onsubmit: submit },
      content,
      h(
        'div',
        { class: 'dialog-buttons' },
        h('button', { type: 'button', class: 'quiet', onclick: close }, 'Cancel'),
        h('button', { type: 'submit', class: look }, verb),
      ),
    )
  const { leave, left } = open(title, form, { mayLeave: () => !isActing })
  await left
  return result
}

/** Show something until `Done`. While `mayLeave` says no, Escape is answered by `onStay` instead. */
export function showUntilDone(title, content, { mayLeave, onStay }) {
  const done = h('button', { type: 'button', class: 'primary', onclick: () => leave() }, 'Done')
  const { leave, left } = open(title, () => [...content, h('div', { class: 'dialog-buttons' }, done)], {
    mayLeave,
    onStay,
  })
  return left
}

/** Close whatever is open: the session is over. */
export function closeDialogs() {
  for (const leave of [...leaves]) leave()
}

const leaves = new Set()

function open(title, contentOf, { mayLeave, onStay = () => {} }) {
  // Asked twice at once, one is enough.
  if (leaves.size > 0) return { leave() {}, left: Promise.resolve() }
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
  const tryToLeave = (event) => {
    event.preventDefault()
    if (mayLeave()) leave()
    else onStay()
  }
  const dialog = h(
    'dialog',
    { 'aria-labelledby': 'dialog-title' },
    h('h2', { id: 'dialog-title' }, title),
    contentOf(tryToLeave),
  )
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
