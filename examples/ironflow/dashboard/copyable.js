/** An id, and a button that copies it. */
import { announce, h } from './dom.js'

const SHOWN_MS = 2000

/** Make both; `what` is what is copied, in words; `around` is shown before and after it. */
export function copyable(id, what, [before, after] = ['', '']) {
  const own = h('span', {}, id)
  const button = h('button', { type: 'button', class: 'copy-id', 'aria-label': `Copy ${what}`, onclick: copy }, 'Copy')

  async function copy() {
    const isDone = await navigator.clipboard?.writeText(id).then(
      () => true,
      () => false,
    )
    // Without TLS there is no clipboard for scripts.
    if (!isDone) getSelection().selectAllChildren(own)
    const told = isDone ? 'Copied' : 'Selected'
    announce(isDone ? 'Copied.' : 'Selected: copy it with your keyboard.')
    button.textContent = told
    setTimeout(() => {
      button.textContent = 'Copy'
    }, SHOWN_MS)
  }
  return h('span', { class: 'copyable' }, h('code', { class: 'id' }, before, own, after), button)
}
