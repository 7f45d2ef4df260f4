/** The process of one section: takes its word and whether to be quick, sends what it does, then the section or what went wrong. */
import type { Section } from './section.ts'
import { SECTIONS } from './sections.ts'

/** What it sends. */
export type Message =
  | { readonly kind: 'progress'; readonly doing: string }
  | { readonly kind: 'section'; readonly section: Section }
  | { readonly kind: 'failure'; readonly text: string }

const [word = '', pace = ''] = process.argv.slice(2)
const send = (message: Message): Promise<void> =>
  new Promise((resolve) => (process.send === undefined ? resolve() : process.send(message, () => resolve())))
// Whoever asked is gone.
process.once('disconnect', () => process.exit())

try {
  const load = SECTIONS[word]
  if (load === undefined) throw new Error(`no section ${word}`)
  const bench = await load()
  const section = await bench({
    quick: pace === 'quick',
    progress: (doing) => void send({ kind: 'progress', doing }),
  })
  await send({ kind: 'section', section })
} catch (error) {
  const { name, message, stack } = error as Error
  await send({ kind: 'failure', text: name === 'WrongAnswer' ? message : String(stack) })
}
// A contender may hold a timer or a socket.
process.exit()
