/**
 * Traffic to look at: requests of every outcome, a few dozen a second, for ten minutes at most. And a storage that is as slow as a
 * database, and now and then away.
 */
import type { AuthStorage } from 'sallyport/storage'
import type { TestKit } from 'sallyport/testing'

const EVERY_MS = 25
const LONGEST_MS = 10 * 60_000

interface Ask {
  readonly weight: number
  readonly method?: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
}

/** Begin. What is returned ends it. */
export async function startTraffic(url: string, kit: TestKit): Promise<() => void> {
  const asks = await createAsks(kit)
  const dice = asks.flatMap((ask) => Array<Ask>(ask.weight).fill(ask))
  const send = (): void => {
    const { method = 'GET', path, headers } = dice[Math.floor(Math.random() * dice.length)] as Ask
    fetch(url + path, { method, headers })
      .then((answer) => answer.body?.cancel())
      .catch(() => undefined)
  }
  const timer = setInterval(send, EVERY_MS)
  const last = setTimeout(() => clearInterval(timer), LONGEST_MS)
  return () => {
    clearInterval(timer)
    clearTimeout(last)
  }
}

async function createAsks({ signIn, issuer }: TestKit): Promise<Ask[]> {
  const [admin, member, stranger] = [
    await signIn({ org: 'acme', role: 'admin' }),
    await signIn({ org: 'acme', role: 'member' }),
    await signIn({ org: 'other', role: 'member' }),
  ]
  const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` })
  const expired = bearer(await issuer.sign({ sub: 'somebody' }, { expiresInSeconds: -60 }))
  const elsewhere = bearer(await issuer.sign({ sub: 'somebody', aud: 'https://other.example' }))
  const notes = '/api/notes'
  return [
    { weight: 50, path: notes, headers: admin.headers },
    { weight: 25, path: notes, headers: member.headers },
    { weight: 6, path: '/health', headers: {} },
    { weight: 5, path: notes, headers: {} },
    { weight: 5, path: notes, headers: expired },
    { weight: 4, path: `${notes}/1`, method: 'DELETE', headers: member.headers },
    { weight: 3, path: notes, headers: elsewhere },
    { weight: 2, path: notes, headers: { ...stranger.headers, 'x-org-id': admin.org?.id ?? '' } },
    { weight: 1, path: notes, headers: bearer('not-a-token') },
  ]
}

/** A storage whose look-up of a user takes some milliseconds, sometimes many, and of which one in a hundred finds it away. */
export function withLatency(storage: AuthStorage): AuthStorage {
  const { users } = storage
  const wait = async (): Promise<void> => {
    const isSlow = Math.random() < 0.04
    await new Promise((resolve) => setTimeout(resolve, Math.random() * (isSlow ? 100 : 8)))
    if (Math.random() < 0.01) throw Object.assign(new Error('the database is away'), { code: 'ECONNREFUSED' })
  }
  return {
    ...storage,
    users: { ...users, findByIdentity: (...given) => wait().then(() => users.findByIdentity(...given)) },
  }
}
