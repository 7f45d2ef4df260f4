/** Acts on people in processes that are killed between any two of their steps, and what is there afterwards. */
import { type CrashReport, type CrashSite, runAndKill } from '../storage/crash-runs.ts'
import { ACTS } from './crash-acts.ts'

/** What became of them. */
export interface ActCrashReport extends CrashReport {
  /** How many steps the act has, before each of which and after all of which it was killed. */
  readonly steps: number
}

/**
 * Kill `times` of an act at each of its steps. Every other one is killed while it goes on. After each everything is as it was,
 * or as it is to be: as it was where it stopped before its COMMIT. Then it is done once more, and all of it is there.
 */
export async function crashActs(site: CrashSite, file: string, name: string, times: number): Promise<ActCrashReport> {
  const act = ACTS[name]
  if (act === undefined) throw new Error(`there is no act ${name}`)
  const begin = async (trial: string, step: number, how: string) => {
    const prepared = await act.prepare(site, trial)
    const end = await runAndKill(file, [site.where, name, JSON.stringify(prepared.given), String(step), how])
    return { ...prepared, end, left: String(await site.counts(prepared.counted)) }
  }
  const rehearsal = await begin('rehearsal', -1, 'go on')
  const steps = Number(/^(\d+) steps/.exec(rehearsal.end)?.[1])
  if (!(steps > 3) || rehearsal.left !== String(rehearsal.after)) {
    throw new Error(`the rehearsal left ${rehearsal.left}: ${rehearsal.end}`)
  }
  const wrong: string[] = []
  let [crashes, committed] = [0, 0]
  for (let step = 0; step < steps; step++) {
    for (let trial = 0; trial < times; trial++) {
      const how = trial % 2 === 0 ? 'stop' : 'go on'
      const what = `step ${step}, trial ${trial}, to ${how}`
      const { given, counted, before, after, end, left } = await begin(`${step}-${trial}`, step, how)
      crashes++
      if (!end.startsWith(`at ${step}`) || (how === 'stop' && !end.endsWith('SIGKILL'))) wrong.push(`${what}: ${end}`)
      if (left === String(after)) committed++
      const allowed = how === 'go on' ? [before, after] : [step === steps - 1 ? after : before]
      if (!allowed.map(String).includes(left)) wrong.push(`${what}: left ${left}`)
      await act.perform(site.storage, given, (handle, text) => site.run(handle, text))
      const done = String(await site.counts(counted))
      if (done !== String(after)) wrong.push(`${what}: done to ${done}`)
    }
  }
  return { steps, crashes, committed, wrong }
}
