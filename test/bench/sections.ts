/** The sections in their order: each a module of its own, loaded in a process of its own. */
import type { BenchOptions, Section } from './section.ts'

type Bench = (options: BenchOptions) => Promise<Section>

/** By the word that `--only` takes. */
export const SECTIONS: Readonly<Record<string, () => Promise<Bench>>> = {
  cold: async () => (await import('./sections/cold.ts')).benchCold,
  warm: async () => (await import('./sections/warm.ts')).benchWarm,
  http: async () => (await import('./sections/http.ts')).benchHttp,
}
