/** The corpus, asked of every framework with keys of every kind. */
import { describeCorpus, FRAMEWORKS } from './ask-corpus.ts'
import { SERVICES } from './case-format.ts'

describeCorpus(FRAMEWORKS.flatMap((name) => SERVICES.map((service) => [name, service] as const)))
