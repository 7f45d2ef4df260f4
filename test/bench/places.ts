/** Folders, each with a slash at its end. */
import { fileURLToPath } from 'node:url'

export const root: string = fileURLToPath(new URL('../../', import.meta.url))
export const sources: string = fileURLToPath(new URL('.', import.meta.url))

/** Where a run's packages and programs lie. */
export const place: string = `${root}node_modules/.cache/bench/`

/** The bundled programs. */
export const programs: string = `${place}programs/`

/** What is kept of runs. */
export const results: string = `${sources}results/`
