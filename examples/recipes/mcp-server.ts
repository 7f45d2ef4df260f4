/**
 * An MCP server (Streamable HTTP, without sessions) on Express: its clients find by the challenge where a token is to be had,
 * and which; its tools ask what the caller may do.
 */
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js'
import express, { type Express } from 'express'
import { type ContextOf, createAuth, oidc, protectedResourceMetadata } from 'sallyport'
import { createAdapter, readJson } from 'sallyport/express'
import * as z from 'zod'

/** Where notes are kept, by whose they are. */
export interface Notes {
  list(owner: string): readonly string[]
  add(owner: string, text: string): void
}

/** Options of {@link createMcpApp}. */
export interface McpOptions {
  /** The URL of the server as its clients write it, which tokens must name as their audience: `https://example.com/mcp`. */
  readonly resource: string
  /** The issuer of tokens; its keys and its endpoints are found by its metadata. */
  readonly issuer: string
  readonly notes: Notes
}

/** What a token can carry here, as scopes. */
const READ = 'notes:read'
const WRITE = 'notes:write'

/** Create the app: the MCP endpoint at the path of the resource, and the document that says where tokens for it are to be had. */
export function createMcpApp({ resource, issuer, notes }: McpOptions): Express {
  const metadata = protectedResourceMetadata({
    resource,
    authorizationServers: [issuer],
    scopes: [READ, WRITE],
    name: 'Notes',
  })
  // Nobody needs a row here: who signed the token, and what it carries, is all there is to know.
  const auth = createAuth({
    issuers: [{ ...oidc({ issuer, audience: resource }), claims: { scopes: 'scope' } }],
    challenge: { scope: 'asked', resourceMetadata: metadata.url },
  })
  const { mount, protect } = createAdapter(auth)

  // A server for each request, with the tools as this caller may use them.
  function createServer(context: ContextOf<typeof auth>): McpServer {
    const server = new McpServer({ name: 'notes', version: '1.0.0' })
    const owner = `${context.identity.issuer} ${context.identity.subject}`
    server.registerTool('list-notes', { description: 'List my notes.' }, () => said(notes.list(owner).join('\n')))
    const inputSchema = { text: z.string().min(1).max(1000) }
    server.registerTool('add-note', { description: 'Add a note of mine.', inputSchema }, ({ text }) => {
      if (!auth.can(context, WRITE)) return refused(WRITE)
      notes.add(owner, text)
      return said('Added.')
    })
    return server
  }

  // #region endpoint
  const app = express()
  mount(app, [metadata])
  const { pathname } = new URL(resource)
  // What every tool needs the endpoint asks: its 401 names it, and the client gets a token with it.
  app.post(
    pathname,
    protect({ permissions: [READ] }, async (context, req, res) => {
      const message = await readJson(req, undefined, { limitBytes: 1_000_000 })
      const server = createServer(context)
      const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true })
      res.on('close', () => void server.close())
      await server.connect(transport)
      await transport.handleRequest(req, res, message)
    }),
  )
  // #endregion
  // There is no stream to listen to, and no session to end.
  app.all(pathname, (_req, res) => void res.set('Allow', 'POST').status(405).end())
  return app
}

function said(text: string): CallToolResult {
  return { content: [{ type: 'text', text }] }
}

// For the model to read: a tool that refuses is an answer, no failure of the protocol.
function refused(permission: string): CallToolResult {
  return { isError: true, ...said(`This needs a token with the scope ${permission}.`) }
}
