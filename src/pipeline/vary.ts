/** Which request headers an answer depends on, so that no cache keeps it for somebody who sends others. */
import { headerOf } from '../orgs/selector.ts'
import { acceptsNamed, type Rule } from './access.ts'
import type { Steps } from './auth-options.ts'

/**
 * The `Vary` of what a rule lets in (RFC 9110 §12.5.5): every header that the route reads as a credential or as a selector
 * of its organization, whatever came along.
 */
export function varyOf({ extractor, services, orgs }: Steps, { accept, needs, selectors }: Rule): string {
  const taken = (services?.services ?? []).filter(({ name }) => acceptsNamed(accept, 'service', name))
  const routes = selectors.flatMap((selector) => headerOf(selector) ?? [])
  const names = [
    ...extractor.tokenHeaders,
    ...taken.map(({ header }) => header),
    ...(needs === 'org' ? [...(orgs.selectorHeaders ?? []), ...routes] : []),
  ]
  const lower = names.map((name) => name.toLowerCase())
  return names.filter((_, index) => lower.indexOf(lower[index] ?? '') === index).join(', ')
}
