/** The functions of the environment that was chosen. */
import { ask, currentEnvironment, sentenceFor } from './api.js'
import { copyable } from './copyable.js'
import { alertBox, announce, field, h, say, select } from './dom.js'
import { oneAtATime } from './one-at-a-time.js'
import { serverList } from './server-list.js'

/** Make the page. */
export function functionsPage({ role, environments, environmentName, onEnvironment }) {
  const mayChange = role !== 'viewer'
  const { elements, load, act } = serverList(
    () => ask('GET', 'functions', { inEnvironment: true }),
    ({ functions }) => (functions.length === 0 ? nothing() : h('ul', { class: 'rows' }, functions.map(rowOf))),
  )

  const nothing = () =>
    h(
      'p',
      { class: 'empty' },
      h('strong', {}, 'No functions yet'),
      `Nothing is registered in ${environmentName()}.${mayChange ? ' Add the first one above.' : ''}`,
    )
  const rowOf = ({ id, name }) =>
    h(
      'li',
      {},
      h('span', { class: 'name' }, name),
      copyable(id, `ID of ${name}`),
      mayChange ? removalOf(id, name) : null,
    )
  const removalOf = (id, name) =>
    h(
      'span',
      { class: 'actions' },
      h(
        'button',
        { type: 'button', class: 'quiet danger-text', 'aria-label': `Delete ${name}`, onclick: () => remove(id, name) },
        'Delete',
      ),
    )
  const remove = (id, name) => {
    const content = h('p', {}, `“${name}” no longer runs in ${environmentName()}. This can’t be undone.`)
    return act(() => ask('DELETE', `functions/${encodeURIComponent(id)}`, { inEnvironment: true }), {
      question: { title: 'Delete this function?', content, verb: 'Delete function' },
      done: `Function ${name} was deleted.`,
    })
  }

  void load()
  return h(
    'div',
    {},
    h(
      'header',
      { class: 'page with-chooser' },
      h(
        'div',
        {},
        h('h1', { tabindex: '-1' }, 'Functions'),
        h('p', { class: 'page-lead' }, `What runs in ${environmentName()}.`),
        copyable(currentEnvironment(), currentEnvironment()),
      ),
      environmentChooser(environments, onEnvironment),
    ),
    mayChange ? addForm(load) : null,
    elements,
  )
}

function environmentChooser(environments, onEnvironment) {
  const options = environments.map(({ id, name }) => [id, name])
  const chooser = select(options, currentEnvironment(), {
    id: 'environment',
    name: 'environment',
    // A reload must show what requests act in, not what the browser remembers.
    autocomplete: 'off',
    onchange: () => onEnvironment(chooser.value),
  })
  return h('div', { class: 'environment' }, h('label', { for: 'environment' }, 'Environment'), chooser)
}

function addForm(reload) {
  const name = field(
    'Name',
    h('input', {
      type: 'text',
      name: 'name',
      required: true,
      maxlength: 255,
      autocomplete: 'off',
      placeholder: 'send-invoice',
    }),
  )
  const alert = alertBox()
  async function submit() {
    say(alert, '')
    if (name.control.value.trim() === '') {
      name.setError('Enter a name.')
      return name.control.focus()
    }
    const answer = await ask('POST', 'functions', { json: { name: name.control.value }, inEnvironment: true })
    if (answer.status === 400) name.setError('This is no name that can be used.')
    else if (!answer.ok) return say(alert, sentenceFor(answer))
    else {
      announce(`Function ${name.control.value} was added.`)
      name.control.value = ''
      await reload()
    }
    name.control.focus()
  }
  return h(
    'form',
    { class: 'card inline', novalidate: true, onsubmit: oneAtATime(submit), 'aria-label': 'Add a function' },
    alert,
    h(
      'div',
      { class: 'inline-fields' },
      name.element,
      h('button', { type: 'submit', class: 'primary' }, 'Add function'),
    ),
  )
}
