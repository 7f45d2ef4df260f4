/** All reasons and what is said of them: the one table behind `explain()`, the command `sallyport` and docs/reasons.md. */
import { ACCESS_REASONS } from './access-reasons.ts'
import { LOGIN_REASONS } from './login-reasons.ts'
import { PEOPLE_REASONS } from './people-reasons.ts'
import type { ReasonSections, ReasonText } from './reason-text.ts'
import { REQUEST_REASONS } from './request-reasons.ts'
import { TOKEN_REASONS } from './token-reasons.ts'

/** The texts by the title of their section. In a function, so that they are in nobody's bundle who does not ask for them. */
export function reasonSections(): ReasonSections {
  return { ...REQUEST_REASONS, ...TOKEN_REASONS, ...ACCESS_REASONS, ...PEOPLE_REASONS, ...LOGIN_REASONS }
}

/** The texts by reason. */
export function reasonTexts(): ReadonlyMap<string, ReasonText> {
  return new Map(Object.values(reasonSections()).flatMap((texts) => Object.entries(texts)))
}
