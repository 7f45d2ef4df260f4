/** What the id of an organization is in one storage: a UUID, or a text that the host chooses. */
import { isSlug, isUuid } from '../lib/id-form.ts'
import { type OptionalType, oneOf, optional } from '../lib/parse-options.ts'
import type { ApiKeyOwner } from './repositories.ts'

/** Whose form the ids of organizations have. */
export type OrgIdKind = 'uuid' | 'host'

/** The ids of organizations in one storage. */
export interface OrgIds {
  readonly kind: OrgIdKind
  /** Ask whether an id is one that this storage can hold. */
  isOrgId(id: unknown): id is string
  /** Ask whether it can hold rows of such an owner. */
  isOwner(owner: ApiKeyOwner): boolean
  /** The id of a new organization: the given one, or a UUID. Throws a `TypeError` for one that can't be held. */
  newOrgId(given: string | undefined): string
}

const KINDS: Readonly<Record<OrgIdKind, OrgIds>> = {
  uuid: idsOf('uuid', isUuid, "a UUID in canonical form; orgIds: 'host' lets it be a text of yours"),
  host: idsOf('host', isSlug, '1 to 64 characters A-Z a-z 0-9 _ -'),
}

/** How the option `orgIds` is checked. */
export const ORG_IDS: OptionalType<OrgIdKind> = optional(oneOf('uuid', 'host'))

/** The ids of organizations by the option `orgIds`. */
export function createOrgIds(kind: OrgIdKind = 'uuid'): OrgIds {
  return KINDS[kind]
}

function idsOf(kind: OrgIdKind, isOrgId: OrgIds['isOrgId'], rule: string): OrgIds {
  return {
    kind,
    isOrgId,
    isOwner: (owner) => owner.kind === 'installation' || isOrgId(owner.orgId),
    newOrgId(given = crypto.randomUUID()) {
      if (isOrgId(given)) return given
      throw new TypeError(`the id of an organization must be ${rule}`)
    },
  }
}
