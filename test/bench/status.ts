/** What is done now: one line that is written over in a terminal, a line now and then elsewhere. */

const EVERY_MS = 20_000

/** Shows what is done. */
export interface Status {
  show(doing: string): void
  /** Before something else is printed. */
  clear(): void
}

/** Create the line. */
export function createStatus(stream: NodeJS.WriteStream): Status {
  if (stream.isTTY !== true) return createSparseStatus(stream)
  const clear = (): void => void stream.write('\r\u001b[K')
  return {
    show: (doing) => void stream.write(`\r\u001b[K${doing.slice(0, stream.columns - 1)}`),
    clear,
  }
}

// The first thing of each section at once, then a line every 20 seconds.
function createSparseStatus(stream: NodeJS.WriteStream): Status {
  let section = ''
  let told = 0
  return {
    show(doing) {
      const begins = doing.split(':')[0] ?? ''
      if (begins === section && performance.now() - told < EVERY_MS) return
      section = begins
      told = performance.now()
      stream.write(`… ${doing}\n`)
    },
    clear() {},
  }
}
