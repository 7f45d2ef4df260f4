/** A user gets another identity: an issuer that calls people by other subjects, a person who changes how they sign in. */
import type { IdentityKey, Organization, User, Verifier } from '../context.ts'
import { AuthError } from '../errors.ts'
import {
  aGroup,
  aName,
  checkedBy,
  hasOwn,
  optional,
  optionsError,
  ownMembers,
  parseOptions,
  type Shape,
} from '../lib/parse-options.ts'
import { isConflictError } from '../storage/storage-errors.ts'
import { inTransaction } from './people-act.ts'
import { requireFound, type UserAdminSettings, type UserAdminTransaction } from './user-admin-storage.ts'

/** An identity, proved by a token of the very person, or written out. */
export type IdentityProof = { readonly token: string } | IdentityKey

/** Who vouches for identities that no token proves. */
export interface MovedByOperator {
  /** Their name, for the event. */
  readonly operator: string
}

/** What is to be moved. */
interface IdentityMove {
  readonly from: IdentityProof
  readonly to: IdentityProof
  readonly by?: MovedByOperator | undefined
}

/** What was moved. */
export interface MovedIdentity<U extends User> {
  readonly user: U
  readonly move: { readonly from: IdentityKey; readonly to: IdentityKey; readonly operator: string | null }
  /** Whether anything was written. */
  readonly isNew: boolean
}

/**
 * Move an identity; see `moveIdentity` of `UserAdministration`.
 * @throws AuthError
 */
export async function moveIdentity<U extends User, O extends Organization, Tx>(
  { storage, clock }: UserAdminSettings<U, O, Tx>,
  verifier: Pick<Verifier, 'verify'> | undefined,
  given: IdentityMove,
): Promise<MovedIdentity<U>> {
  const { from: source, to: target, by } = parseOptions('moveIdentity', shape(), given)
  const operator = by?.operator ?? null
  const [from, to] = [await keyOf(source, verifier, operator), await keyOf(target, verifier, operator)]
  const isSame = from.issuer === to.issuer && from.subject === to.subject
  const user = await inTransaction<Pick<UserAdminTransaction<U, O, Tx>, 'users'>, U>(
    storage,
    clock,
    async ({ users }, earlier) => {
      // Committed, and nobody came to know it.
      const moved = earlier && (await users.findByIdentity(to, { kind: 'unnamed' }))?.user
      if (moved !== undefined && moved.id === earlier?.id) return moved
      if (isSame) return requireFound((await users.findByIdentity(from, { kind: 'unnamed' }))?.user ?? null)
      try {
        const moved = requireFound(await users.moveIdentity(from, to))
        // As it is written: whoever disables them just now was waited for.
        if (moved.disabled && operator === null) throw new AuthError('forbidden', { reason: 'moved_user_disabled' })
        return moved
      } catch (cause) {
        if (isConflictError(cause)) throw new AuthError('conflict', { reason: 'identity_taken', cause })
        throw cause
      }
    },
  )
  return { user, move: Object.freeze({ from, to, operator }), isNew: !isSame }
}

async function keyOf(
  proof: IdentityProof,
  verifier: Pick<Verifier, 'verify'> | undefined,
  operator: string | null,
): Promise<IdentityKey> {
  if (!hasOwn(proof, 'token')) {
    if (operator !== null) return Object.freeze({ issuer: proof.issuer, subject: proof.subject })
    throw new AuthError('forbidden', { reason: 'identity_not_proved' })
  }
  if (verifier === undefined)
    throw optionsError('createUserAdmin', 'verifier', 'is required to move identities by tokens')
  const { kind, issuer, subject, actor } = await verifier.verify(proof.token)
  if (kind !== 'person') throw new AuthError('forbidden', { reason: 'moved_to_a_machine' })
  // A verifier of the host's own may be older than this claim.
  if (actor != null && operator === null) throw new AuthError('forbidden', { reason: 'moved_by_an_actor' })
  return Object.freeze({ issuer, subject })
}

const aProof = () =>
  checkedBy<IdentityProof>((value) => {
    const { token, issuer, subject } = ownMembers(Object(value)) as Partial<
      Record<'token' | 'issuer' | 'subject', unknown>
    >
    const isToken = typeof token === 'string' && issuer === undefined && subject === undefined
    const isKey = token === undefined && typeof issuer === 'string' && typeof subject === 'string'
    return isToken || isKey ? null : 'must be { token } or { issuer, subject }'
  })

const shape = (): Shape<IdentityMove> => ({
  from: aProof(),
  to: aProof(),
  by: optional(aGroup({ operator: aName() })),
})
