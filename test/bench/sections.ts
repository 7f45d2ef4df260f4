/** The sections in their order: each a module of its own, loaded in a process of its own. */
import type { BenchOptions, Section } from './section.ts'

type Bench = (options: BenchOptions) => Promise<Section>

/** By the word that `--only` takes. */
export const SECTIONS: Readonly<Record<string, () => Promise<Bench>>> = {
  http: async () => (await import('./sections/http.ts')).benchHttp,
  warm: async () => (await import('./sections/warm.ts')).benchWarm,
  cold: async () => (await import('./sections/cold.ts')).benchCold,
  refusals: async () => (await import('./sections/refusals.ts')).benchRefusals,
  flood: async () => (await import('./sections/flood.ts')).benchFlood,
  'main-thread': async () => (await import('./sections/main-thread.ts')).benchMainThread,
  growth: async () => (await import('./sections/growth.ts')).benchGrowth,
  storage: async () => (await import('./sections/storage.ts')).benchStorage,
  memory: async () => (await import('./sections/memory.ts')).benchMemory,
  import: async () => (await import('./sections/import.ts')).benchImport,
  size: async () => (await import('./sections/size.ts')).benchSize,
}
