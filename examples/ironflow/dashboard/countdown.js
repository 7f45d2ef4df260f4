/** A wait that the server asked for, counted down in sight; said aloud at its beginning and its end only. */
import { duration } from './api.js'
import { announce, h, say } from './dom.js'

/** Count down in `box` and keep `button` from being used meanwhile. Hands back how to let go of it before the end. */
export function countDown(box, button, seconds) {
  const until = Date.now() + seconds * 1000
  const timer = h('span', { 'aria-hidden': 'true', class: 'timer' })
  say(box, 'Too many tries. You can try again in ')
  const spoken = h('span', { class: 'visually-hidden' }, duration(seconds))
  box.append(timer, spoken, '.')
  button.setAttribute('aria-disabled', 'true')
  const release = () => {
    clearInterval(interval)
    button.removeAttribute('aria-disabled')
    // Unless it says something else by now.
    if (timer.isConnected) say(box, '')
  }
  const tick = () => {
    // The page is another one by now.
    if (!box.isConnected) return release()
    const left = Math.ceil((until - Date.now()) / 1000)
    timer.textContent = duration(Math.max(left, 0))
    if (left > 0) return
    release()
    announce('You can try again now.')
  }
  const interval = setInterval(tick, 250)
  tick()
  return release
}
