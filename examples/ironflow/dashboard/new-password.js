/** The field for a password that somebody is given. */
import { field, h } from './dom.js'

/** What the server asks of one. */
export const BAD_PASSWORD = 'Use 15 to 256 characters, and not a password that is easily guessed.'

/** Make the field, with a button that fills in a random one. */
export function newPassword(label) {
  const made = field(
    label,
    h('input', { type: 'password', name: 'password', required: true, autocomplete: 'new-password' }),
    'At least 15 characters. Hand it over; they can change it.',
  )
  const suggest = () => {
    made.control.value = randomPassword()
    made.setError('')
    made.reveal(true)
    made.control.select()
  }
  const button = h('button', { type: 'button', class: 'suggest', onclick: suggest }, 'Suggest one')
  made.element.querySelector('.hint').before(button)
  return made
}

// 20 of 32 letters: 100 bits. Nothing in it is mistaken for another letter.
const LETTERS = 'abcdefghijkmnpqrstuvwxyz23456789'
function randomPassword() {
  const letters = Array.from(crypto.getRandomValues(new Uint8Array(20)), (byte) => LETTERS.charAt(byte & 31))
  return letters.join('').replace(/.{5}(?=.)/g, '$&-')
}
