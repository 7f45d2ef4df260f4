/** A form behind a button that opens and closes it. */
import { h } from './dom.js'

/** Make both; opening puts the focus into `first`. `close()` hands the focus back to the button. */
export function disclosure(title, form, first) {
  const show = (isOpen) => {
    form.hidden = !isOpen
    button.setAttribute('aria-expanded', String(isOpen))
  }
  const button = h('button', {
    type: 'button',
    class: 'opener',
    'aria-controls': form.id,
    onclick() {
      show(form.hidden)
      if (!form.hidden) first.focus()
    },
  })
  button.append(h('span', { class: 'sign', 'aria-hidden': 'true' }), title)
  show(false)
  return {
    element: h('section', { class: 'card add' }, button, form),
    close() {
      form.reset()
      show(false)
      button.focus()
    },
  }
}
