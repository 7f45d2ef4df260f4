/** Prisma within sallyport: its own transaction is lent to a scope, and a bootstrap hook writes by Prisma in the first login's. */

import { createProvisioner, type User, type UserResolver } from 'sallyport'
import { type OrgScopeContext, withOrgScope } from 'sallyport/postgres'
import type { Contact, Prisma, PrismaClient } from './generated/client.ts'
import type { PrismaStorage } from './storage.ts'

/** Run work by Prisma in one organization: the policies say whose the rows are, the query needn't. */
export function inOrg<T>(
  prisma: PrismaClient,
  context: OrgScopeContext,
  work: (tx: Prisma.TransactionClient) => Promise<T>,
): Promise<T> {
  return prisma.$transaction((tx) => {
    const query = async (text: string, values: unknown[] = []) => ({
      rows: await tx.$queryRawUnsafe<unknown[]>(text, ...values),
    })
    return withOrgScope({ query }, context, () => work(tx), { role: 'tenant' })
  })
}

/** List the acting organization's contacts. */
export function listContacts(prisma: PrismaClient, context: OrgScopeContext): Promise<Contact[]> {
  return inOrg(prisma, context, (tx) => tx.contact.findMany())
}

/** First logins rename the team that was made, in the transaction that makes the user. */
export function createUsers(storage: PrismaStorage): UserResolver<User> {
  return createProvisioner({
    storage,
    async bootstrap({ org, transaction: { handle } }) {
      if (org !== null)
        await handle.team.update({ where: { id: Number(org.id) }, data: { name: `Team of ${org.name}` } })
    },
  })
}
