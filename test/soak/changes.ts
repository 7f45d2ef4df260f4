/** What changes in the storage while requests run: members added, removed, given another role, users disabled; keys made and revoked. */
import { exchange, jsonRequest } from './exchange.ts'
import { ROLES, type Role } from './oracle.ts'
import { type Change, Timeline } from './timeline.ts'
import { type IssuedKey, note, oneOf, pause, type Somebody, signToken, type World } from './world.ts'

/** Change who may do what, one change after another, until all ends. */
export async function changeMembers(world: World): Promise<void> {
  const { random, people, orgs, signal } = world
  while (!signal.aborted) {
    const person = oneOf(random, people)
    // Few are disabled at a time.
    if (person.disabled.last || random() < 0.1) await changeDisabled(world, person)
    else await changeRole(world, person, oneOf(random, orgs))
    await pause(world, random() * 40)
  }
}

/** Disable an enabled user, or enable a disabled one; nothing where that changes just now. */
export async function changeDisabled(world: World, person: Somebody): Promise<void> {
  if (person.disabled.isChanging) return
  const disabled = !person.disabled.last
  const change = person.disabled.begin(disabled)
  note(world, disabled ? 'users disabled' : 'users enabled')
  await untilDone(world, change, () => world.store.users.setDisabled(person.userId, disabled))
}

async function changeRole(world: World, { userId, roles, disabled }: Somebody, orgId: string): Promise<void> {
  const { store, random } = world
  const roleThere = roles.get(orgId)
  if (roleThere === undefined || roleThere.isChanging) return
  const before = roleThere.last
  // A disabled user gets no membership.
  if (before === null && (disabled.last || disabled.isChanging)) return
  const role = before === null || random() < 0.6 ? oneOf<Role>(random, ROLES) : null
  const change = roleThere.begin(role)
  note(world, before === null ? 'members added' : role === null ? 'members removed' : 'roles changed')
  await untilDone(world, change, async () => {
    if (role === null) return void (await store.memberships.remove(orgId, userId))
    // What a try before this one wrote, whose COMMIT was not heard of, is no conflict.
    const found = before === null ? await store.memberships.find(orgId, userId) : { orgId }
    if (found === null) await store.memberships.insert({ orgId, userId, role })
    else await store.memberships.setRole(orgId, userId, role)
  })
}

// However often the storage fails: until it is known to be so, it may be so or not.
async function untilDone(world: World, change: Change, write: () => Promise<unknown>): Promise<void> {
  while (!world.signal.aborted) {
    try {
      await write()
      return change.done()
    } catch {
      await pause(world, 50)
    }
  }
}

/** Of live ones and of revoked ones, so that each is met. */
const MOST_KEYS = 60

/** Issue API keys and revoke them, over HTTP, until all ends. */
export async function changeKeys(world: World): Promise<void> {
  const { random, people, keys, signal } = world
  while (!signal.aborted) {
    const live = keys.filter(({ isLive }) => isLive.last && !isLive.isChanging)
    if (live.length < 10 || random() < 0.5) await issueKey(world, oneOf(random, people))
    else await revokeKey(world, oneOf(random, live))
    if (keys.length > MOST_KEYS) keys.splice(0, keys.length - MOST_KEYS)
    await pause(world, random() * 150)
  }
}

async function issueKey(world: World, owner: Somebody): Promise<void> {
  const { random, servers, keys } = world
  const role = oneOf(random, ROLES)
  const body = { name: 'a key', role, scopes: ['notes:read'] }
  const sent = jsonRequest('POST /api/keys', await freshToken(world, owner), body)
  const from = Date.now()
  const what = { kind: 'issue a key', sent, right: '201' }
  const { answer } = await exchange(world, oneOf(random, servers), what, (given) => {
    if (owner.disabled.between(from, Date.now()).includes(true) && given.status === 403) return true
    return given.status === 201 && !owner.disabled.between(from, Date.now()).every((each) => each)
  })
  if (answer?.status !== 201) return
  const { id, key: text } = (JSON.parse(answer.body) as { data: { id: string; key: string } }).data
  keys.push({ id, text, owner, org: owner.ownOrg, role, isLive: new Timeline(true) })
  note(world, 'keys issued')
}

// Whatever becomes of the answer: it is asked again until the key is known to be gone.
async function revokeKey(world: World, { id, owner, isLive }: IssuedKey): Promise<void> {
  const { random, servers, signal } = world
  const change = isLive.begin(false)
  for (let tries = 0; !signal.aborted; tries++) {
    const from = Date.now()
    const sent = jsonRequest(`DELETE /api/keys/${id}`, await freshToken(world, owner))
    const what = { kind: 'revoke a key', sent, right: '204' }
    const { answer, isFailure } = await exchange(world, oneOf(random, servers), what, ({ status }) => {
      const disabled = owner.disabled.between(from, Date.now())
      if (status === 403) return disabled.includes(true)
      return (status === 204 || (status === 404 && tries > 0)) && disabled.includes(false)
    })
    if (!isFailure && (answer?.status === 204 || answer?.status === 404)) {
      note(world, 'keys revoked')
      return change.done()
    }
    await pause(world, 50)
  }
}

// By the secret, which every server knows.
async function freshToken({ random }: World, { issuer, subject }: Somebody): Promise<string> {
  return (await signToken(random, issuer, subject, { algorithm: 'HS256' })).text
}
