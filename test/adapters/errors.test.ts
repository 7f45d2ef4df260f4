/** What is thrown, and where it goes: refusals, a handler's own errors, what steps throw, and who answers. */
import { AuthError, isAuthError } from 'sallyport'
import * as forExpress from 'sallyport/express'
import * as forHono from 'sallyport/hono'
import * as forKoa from 'sallyport/koa'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { createRig, createRigWorld, RIGS, type Rig, type RigOptions, type RigRoute, type RigWorld } from './rigs.ts'

let world: RigWorld
beforeAll(async () => {
  world = await createRigWorld()
  vi.spyOn(console, 'error').mockImplementation(() => undefined)
})
afterAll(() => vi.restoreAllMocks())
beforeEach(() => {
  world.users = null
})

const FORBIDDEN = '{"error":{"code":"forbidden","message":"The caller may not do this."}}'
const boom = new Error('the handler broke')

const ROUTES: readonly RigRoute[] = [
  { path: '/protect', how: 'protect' },
  { path: '/middleware', how: 'middleware' },
  { path: '/boom', how: 'protect', run: () => Promise.reject(boom) },
  { path: '/boom-below', how: 'middleware', run: () => Promise.reject(boom) },
  { path: '/odd', how: 'protect', run: () => Promise.reject(null) },
  { path: '/word', how: 'protect', run: () => Promise.reject('route') },
  { path: '/word', how: 'protect' },
  { path: '/things/:id', how: 'protect', run: () => Promise.reject(new AuthError('not_found')) },
  { path: '/refuse', how: 'protect', run: () => Promise.reject(new AuthError('forbidden')) },
  { path: '/refuse-below', how: 'middleware', run: () => Promise.reject(new AuthError('forbidden')) },
]

describe.each(RIGS)('%s', (name) => {
  const withRig = async (options: RigOptions, test: (rig: Rig) => Promise<void>): Promise<void> => {
    const rig = await createRig(name, world.auth, ROUTES, options)
    try {
      await test(rig)
    } finally {
      await rig.close()
    }
  }
  const signedIn = (): RequestInit => ({ headers: world.caller.headers })

  it.each(['/boom', '/boom-below'])("hands a handler's own error on, the same object: %s", async (path) => {
    await withRig({}, async (rig) => {
      const response = await rig.send(path, signedIn())
      expect(response.status).toBe(500)
      expect(response.headers.get('www-authenticate')).toBeNull()
      expect(rig.errors).toHaveLength(1)
      expect(rig.errors[0]).toBe(boom)
    })
  })

  it("tells onDecision of what a handler refused, in the request's record, also where the framework answers", async () => {
    for (const errors of ['write', 'delegate'] as const) {
      await withRig({ errors }, async (rig) => {
        world.decisions.length = 0
        await rig.send('/refuse', signedIn())
        expect(world.decisions).toMatchObject([{ outcome: 'refused', code: 'forbidden', principal: { kind: 'user' } }])
      })
    }
  })

  it('answers a path that cannot be decoded as one that is not there', async () => {
    await withRig({ onError: true }, async (rig) => {
      const response = await rig.send('/things/%zz', signedIn())
      expect(response.status).toBe(404)
      expect(await response.text()).not.toContain('URIError')
    })
  })

  it.each(['/odd', '/word'])('makes a failure of what a handler throws that is no error: %s', async (path) => {
    await withRig({}, async (rig) => {
      const response = await rig.send(path, signedIn())
      expect(response.status).toBe(500)
      expect(rig.errors[0]).toBeInstanceOf(Error)
      expect((rig.errors[0] as Error).cause).toBe(path === '/odd' ? null : 'route')
    })
  })

  it("answers a handler's refusal under protect, and says which org it served", async () => {
    await withRig({}, async (rig) => {
      const response = await rig.send('/refuse', signedIn())
      expect([response.status, await response.text()]).toEqual([403, FORBIDDEN])
      expect(response.headers.get('x-org-id')).toBe(world.caller.org?.id)
      expect(rig.errors).toEqual([])
    })
  })

  it('answers it below middleware where onError is mounted', async () => {
    await withRig({ onError: true }, async (rig) => {
      const response = await rig.send('/refuse-below', signedIn())
      expect([response.status, await response.text()]).toEqual([403, FORBIDDEN])
      expect(response.headers.get('cache-control')).toBe('no-store')
      expect(rig.errors).toEqual([])
    })
  })

  it('lets everything else through onError, the same object, and on Hono answers and prints it as Hono does', async () => {
    await withRig({ onError: true }, async (rig) => {
      vi.mocked(console.error).mockClear()
      const response = await rig.send('/boom-below', signedIn())
      expect(response.status).toBe(500)
      if (!name.startsWith('hono')) return expect(rig.errors.at(-1)).toBe(boom)
      expect(await response.text()).toBe('Internal Server Error')
      expect(vi.mocked(console.error).mock.calls).toEqual([[boom]])
    })
  })

  it.each(['/protect', '/middleware'])(
    'delegates a refusal to the framework, which gets it right: %s',
    async (path) => {
      await withRig({ errors: 'delegate' }, async (rig) => {
        const response = await rig.send(path)
        expect(response.status).toBe(401)
        expect(response.headers.get('www-authenticate')).toBe('Bearer')
        expect(response.headers.get('cache-control')).toBe('no-store')
        expect(rig.errors.map(isAuthError)).toEqual([true])
      })
    },
  )

  it('delegates a refusal of the handler too', async () => {
    await withRig({ errors: 'delegate' }, async (rig) => {
      expect((await rig.send('/refuse', signedIn())).status).toBe(403)
      expect(rig.errors.map(isAuthError)).toEqual([true])
    })
  })

  it("hands a step's plain error on, the same object, and never as a 401", async () => {
    world.users = () => Promise.reject(boom)
    await withRig({}, async (rig) => {
      const response = await rig.send('/protect', signedIn())
      expect(response.status).toBe(500)
      expect(response.headers.get('www-authenticate')).toBeNull()
      expect(rig.errors).toEqual([boom])
      expect(rig.errors[0]).toBe(boom)
    })
  })

  it.each([
    ['null', null],
    ['a word that Express obeys', 'route'],
    ['an object of status 200', { status: 200, expose: true }],
    ['an error of status 200', Object.assign(new Error('fine'), { status: 200, expose: true })],
    ['an error with a response', Object.assign(new Error('in'), { getResponse: () => new Response('in') })],
  ])('makes a 500 of %s from a step, with the thing as its cause', async (_what, thrown) => {
    world.users = () => Promise.reject(thrown)
    await withRig({}, async (rig) => {
      for (const path of ['/protect', '/middleware', '/word']) {
        const response = await rig.send(path, signedIn())
        expect(response.status).toBe(500)
        expect(await response.text()).not.toContain('ok')
        expect((rig.errors.at(-1) as Error).cause).toBe(thrown)
      }
    })
  })

  it('refuses a wrong option, an unknown one and a wrong Access when it is built', async () => {
    await expect(createRig(name, world.auth, [], { errors: 'throw' as never })).rejects.toThrow(
      /createAdapter: option "errors"/,
    )
    await expect(createRig(name, world.auth, [], { error: 'delegate' } as never)).rejects.toThrow(
      /unknown option "error"/,
    )
    const route: RigRoute = { path: '/x', how: 'protect', access: { role: 'emperor' } }
    await expect(createRig(name, world.auth, [route])).rejects.toThrow(TypeError)
  })
})

describe.each([
  ['express', forExpress],
  ['koa', forKoa],
  ['hono', forHono],
])('createAdapter of %s', (_name, adapter) => {
  const { createAdapter } = adapter as never as {
    createAdapter(auth?: object): { protect(access: object, handler?: unknown): unknown }
  }

  it.each([[undefined], [{}], [null]])('refuses %j as an auth', (wrong) => {
    expect(() => createAdapter(wrong as never)).toThrow(
      'createAdapter: the auth (first argument) must be what createAuth returned',
    )
  })

  it.each([[undefined], [{}], ['handler']])('refuses %j as a handler', (wrong) => {
    expect(() => createAdapter(world.auth).protect({}, wrong)).toThrow(
      expect.objectContaining({
        name: 'OptionsError',
        message: 'protect: the handler (second argument) must be a function',
      }),
    )
  })
})
