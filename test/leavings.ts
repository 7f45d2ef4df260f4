/**
 * What a whole run of the tests leaves (A2, G1): PostgreSQL's data files and its log, every folder that a test made and
 * removed, all that the run printed. At its end that is searched for secrets, and the run fails where one is found. The first
 * of Vitest's global setups, so that its end comes last; `keep-leavings.ts` and `postgres-cluster.ts` bring it the files.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { OUTPUT, searchLeavings } from './search-leavings.ts'

export default function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-leavings-'))
  process.env['SALLYPORT_LEAVINGS'] = folder
  const printed = listen()
  return () => {
    const code = process.exitCode
    // Vitest ends the process where this takes too long: that is not to look like a search that found nothing.
    process.exitCode = 1
    const started = performance.now()
    writeFileSync(join(folder, OUTPUT), printed())
    const { found, bytes, canaries } = searchLeavings(folder)
    rmSync(folder, { recursive: true, force: true })
    const what = `${canaries} canaries, keys and tokens by their form, in ${Math.round(bytes / 1e6)} MB of what the run left`
    const where = process.env['TEST_DATABASE_URL'] === undefined ? '' : ', TEST_DATABASE_URL not among it'
    console.log(`Searched for ${what}${where}: ${found.length} found, ${Math.round(performance.now() - started)} ms`)
    for (const line of found) console.error(`  SECRET FOUND in ${line}`)
    if (found.length === 0) process.exitCode = code
  }
}

/** Keep what the run prints, the workers' output too: Vitest writes all of it by these two. */
function listen(): () => string {
  const said: string[] = []
  const undo = [process.stdout, process.stderr].map((stream) => {
    const { write } = stream
    stream.write = ((...args: Parameters<typeof write>) => {
      said.push(Buffer.from(args[0]).toString('latin1'))
      return write.apply(stream, args)
    }) as typeof write
    return () => {
      stream.write = write
    }
  })
  return () => {
    for (const each of undo) each()
    return said.join('')
  }
}
