/** One action at a time: what is clicked or sent twice happens once, and the button shows that it is under way. */
import { announce } from './dom.js'

const SLOW_MS = 1000

let isBusy = false

/** Make a listener whose action, however long it takes, keeps every other one made here from beginning. */
export function oneAtATime(act) {
  return async (event) => {
    event.preventDefault()
    if (isBusy) return
    isBusy = true
    const button = event.submitter ?? event.currentTarget
    button.setAttribute('aria-busy', 'true')
    const slow = setTimeout(() => announce('One moment…'), SLOW_MS)
    try {
      await act(event)
    } finally {
      isBusy = false
      clearTimeout(slow)
      button.removeAttribute('aria-busy')
    }
  }
}
