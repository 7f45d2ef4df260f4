/** A list that is the server's: a wait, what came, or why nothing did and a way to try again; and acts that change it. */
import { sentenceFor } from './api.js'
import { confirmThat } from './dialog.js'
import { alertBox, announce, h, say } from './dom.js'
import { oneAtATime } from './one-at-a-time.js'

/** Make its elements. `load()` asks by `get` and shows what `contentOf` makes of the answer's body. */
export function serverList(get, contentOf) {
  const alert = alertBox()
  const card = h('div', { class: 'card list', 'aria-busy': 'true' }, h('p', { class: 'empty waiting' }, 'Loading…'))
  let latest = 0

  async function load() {
    latest += 1
    const own = latest
    const answer = await get()
    // A later one knows better.
    if (own !== latest) return
    card.removeAttribute('aria-busy')
    card.replaceChildren(answer.ok ? contentOf(answer.body) : trouble(answer))
  }
  const trouble = (answer) =>
    h(
      'div',
      { class: 'empty' },
      h('p', { role: 'alert' }, sentenceFor(answer)),
      h('button', { type: 'button', id: 'again', onclick: oneAtATime(again) }, 'Try again'),
    )
  async function again() {
    await load()
    focusOn('again')
  }

  /**
   * Ask the server by `request`, and the person first where there is a `question`; say what came of it, and show what is so,
   * also after a refusal. The focus stays on the control `stay`.
   */
  async function act(request, { question, done, sentence = sentenceFor, stay }) {
    say(alert, '')
    const answer = question ? await confirmThat(question, request) : await request()
    if (answer === null || answer.status === 401) return
    if (answer.ok) announce(done)
    else say(alert, sentence(answer))
    // Where nobody answers there is nothing newer to show.
    if (answer.status !== 0) {
      await load()
      focusOn(stay)
    }
    if (!answer.ok) alert.scrollIntoView({ block: 'nearest' })
  }
  return { elements: [alert, card], load, act }
}

function focusOn(id) {
  const element = document.getElementById(id) ?? document.querySelector('h1')
  element.focus()
}
