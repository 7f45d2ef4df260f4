/** One action at a time: what is clicked or sent twice happens once. */

let isBusy = false

/** Make a listener whose action, however long it takes, keeps every other one made here from beginning. */
export function oneAtATime(act) {
  return async (event) => {
    event.preventDefault()
    if (isBusy) return
    isBusy = true
    document.body.setAttribute('aria-busy', 'true')
    try {
      await act(event)
    } finally {
      isBusy = false
      document.body.removeAttribute('aria-busy')
    }
  }
}
