/** What the author of an adapter needs to translate a framework's request into ours and our answer back. */
export type { Auth } from '../auth.ts'
export { type AdapterOptions, parseAdapterOptions, toThrown } from './adapter-options.ts'
export { fromFetchRequest } from './fetch-request.ts'
export { fromNodeRequest, type NodeRequest } from './node-request.ts'
export { createReadJson, type ReadJson } from './read-json.ts'
export {
  keepHeaders,
  mergeHeader,
  type NodeResponse,
  withHeaders,
  writeHeaders,
} from './response-headers.ts'
export { createRouteFinder } from './route-path.ts'
