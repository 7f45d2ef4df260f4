/** What is said of a reason, for people: the shape of it. */
import type { RefusalReason } from '../reasons.ts'

/** Who can mend a refusal, and how, as an instruction. The likelier one first; `wait`: it passes by itself. */
export type Remedies = Readonly<Partial<Record<'client' | 'host' | 'issuer' | 'wait' | 'nobody', string>>>

/** What a reason means and what to do about it. */
export interface ReasonText {
  /** What is amiss, in one clause that stands alone: lower case, no full stop. */
  readonly headline: string
  /** What else is to be known, in sentences. */
  readonly more?: string | undefined
  /** The same with its values, `{got}` and `{expected}`; in quotes each value of a list gets its own. */
  readonly says?: string | undefined
  /** The same for some of what may come. */
  readonly saysOf?: Readonly<Record<string, string>> | undefined
  /** What `expected` of the refusal holds; left out: it is `null`. */
  readonly expected?: string | undefined
  /** What `got` holds, likewise. */
  readonly got?: string | undefined
  readonly try: Remedies
}

/** Texts by the title of their section of docs/reasons.md. */
export type ReasonSections = Readonly<Record<string, Readonly<Partial<Record<RefusalReason, ReasonText>>>>>
