/** The strict host of the tarball by TypeScript 6 (`packed-consumer.test.ts` asks the native compiler), and `attw` of its types. */
import { execFileSync } from 'node:child_process'
import { it } from 'vitest'
import { root } from './entry-points.ts'
import { openPacked } from './packed.ts'
import { describeStrictProject } from './strict-project.ts'

const packed = await openPacked()

describeStrictProject(packed, 'typescript')

it('the tarball passes attw as an ESM-only package', () => {
  const attw = `${root}node_modules/@arethetypeswrong/cli/dist/index.js`
  execFileSync(process.execPath, [attw, packed.tarball, '--profile', 'esm-only'], { encoding: 'utf8' })
})
