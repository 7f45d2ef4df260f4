/** The command `sallyport migrate` on a server that takes the connection and says nothing: ten seconds, and it gives up. */
import { spawn } from 'node:child_process'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { expect, it } from 'vitest'
import { programOf } from '../program.ts'

const main = await programOf('src/cli/main.ts')

it('a server that says nothing: exit code 1 after 10 seconds, one line', async () => {
  const sockets: Socket[] = []
  const silent = createServer((socket) => void sockets.push(socket.on('error', () => undefined)))
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const { port } = silent.address() as AddressInfo
  const child = spawn(process.execPath, [
    main,
    ...`migrate status --database postgres://me:hunter22@127.0.0.1:${port}/x`.split(' '),
  ])
  const said: string[] = []
  child.stderr.on('data', (chunk: Buffer) => void said.push(chunk.toString()))
  expect(await new Promise((resolve) => child.on('close', resolve))).toBe(1)
  expect(said.join('')).toMatch(/^sallyport: .*time.*\n$/)
  expect(said.join('')).not.toContain('hunter22')
  for (const socket of sockets) socket.destroy()
  silent.close()
})
