/** The pipeline as a worker: the answer is its line. */
import { smoke } from './smoke.mjs'

export default { fetch: async () => new Response(await smoke()) }
