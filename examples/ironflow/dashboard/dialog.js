/** Dialogs: the browser keeps the focus inside, Escape closes, the focus goes back to where it was. */
import { h } from './dom.js'

/** Ask before something that can't be undone. Fulfils with whether to do it. */
export function confirmThat(title, text, verb) {
  return new Promise((resolve) => {
    let sure = false
    const dialog = open(
      title,
      [h('p', {}, text)],
      [
        h('button', { type: 'button', class: 'quiet', onclick: () => dialog.close() }, 'Cancel'),
        h(
          'button',
          {
            type: 'button',
            class: 'danger',
            onclick() {
              sure = true
              dialog.close()
            },
          },
          verb,
        ),
      ],
    )
    dialog.addEventListener('close', () => resolve(sure))
  })
}

/** Show something until it is closed. */
export function showUntilDone(title, content) {
  return new Promise((resolve) => {
    const dialog = open(title, content, [
      h('button', { type: 'button', class: 'primary', onclick: () => dialog.close() }, 'Done'),
    ])
    dialog.addEventListener('close', () => resolve())
  })
}

function open(title, content, buttons) {
  const heading = h('h2', { id: 'dialog-title' }, title)
  const dialog = h(
    'dialog',
    { 'aria-labelledby': 'dialog-title' },
    heading,
    content,
    h('div', { class: 'dialog-buttons' }, buttons),
  )
  const before = document.activeElement
  dialog.addEventListener('close', () => {
    dialog.remove()
    if (before instanceof HTMLElement && before.isConnected) before.focus()
  })
  document.body.append(dialog)
  dialog.showModal()
  return dialog
}
