// The part of cors that the snippets use; the package ships no types.
declare module 'cors' {
  import type { RequestHandler } from 'express'

  export default function cors(options: { readonly origin: string; readonly exposedHeaders: string[] }): RequestHandler
}
