// What it costs to import the core, against importing jose alone: fresh processes in turn, processor time of each.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { withBuilt } from './build.ts'
import { type Comparison, spread } from './rounds.ts'

const ROUNDS = 15
const root = fileURLToPath(new URL('../../', import.meta.url))

const SCRIPT = `const before = process.cpuUsage()
await import(process.argv.at(-1))
const { user, system } = process.cpuUsage(before)
console.log(user + system)`

/** Compare the built core (zod within, jose beside it, as it is published) with jose. */
export function compareImports(): Promise<readonly Comparison[]> {
  return withBuilt('src/index.ts', async (core) => {
    const contenders = [
      { name: "import('jose')", target: 'jose' },
      { name: "import('sallyport')", target: core },
    ]
    const costs = contenders.map(() => [] as number[])
    for (let round = -1; round < ROUNDS; round++) {
      for (let turn = 0; turn < contenders.length; turn++) {
        const index = (turn + round + contenders.length) % contenders.length
        const cost = importOf(contenders[index]?.target ?? '')
        if (round >= 0) costs[index]?.push(cost)
      }
    }
    return contenders.map(({ name }, index) => {
      const ratios = (costs[index] as number[]).map((cost, i) => cost / (costs[0]?.[i] as number))
      return {
        name,
        cpuMicroseconds: spread(costs[index] as number[])[1],
        cpuRatio: spread(ratios),
        speedRatio: spread(ratios.map((ratio) => 1 / ratio)),
      }
    })
  })
}

function importOf(target: string): number {
  const args = ['--input-type=module', '-e', SCRIPT, '--', target]
  return Number(spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' }).stdout)
}
