/**
 * `npm test`: types and lint beside the tests, so that neither core waits for the other. What is wrong with types or lint is
 * printed as soon as it is known and once more at the end. Types are checked by the quick compiler; TypeScript 6 takes three times as
 * long, and `npm run test:long` asks it. Arguments are the tests': `npm test -- test/login`.
 */
import { spawn } from 'node:child_process'

/** Run a script of `package.json`; its exit code, and what it printed where that was kept. */
function run(name, { keep, args = [] }) {
  const child = spawn('npm', ['run', '--silent', name, '--', ...args], {
    stdio: keep ? ['ignore', 'pipe', 'pipe'] : 'inherit',
  })
  const said = []
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => said.push(chunk))
  return new Promise((resolve) => {
    child.on('close', (code) => resolve({ name, code: code ?? 1, said: Buffer.concat(said).toString() }))
  })
}

async function checks() {
  const done = []
  for (const name of ['typecheck:quick', 'lint']) {
    const result = await run(name, { keep: true })
    done.push(result)
    if (result.code !== 0) tell(result)
  }
  return done
}

function tell({ name, code, said }) {
  console.log(`\nnpm run ${name}: exit code ${code}\n${said}`)
}

const [tests, checked] = await Promise.all([run('test:quick', { keep: false, args: process.argv.slice(2) }), checks()])
for (const result of checked) {
  if (result.code !== 0) tell(result)
  else console.log(`npm run ${result.name}: all is well`)
}
process.exitCode = [tests, ...checked].some(({ code }) => code !== 0) ? 1 : 0
