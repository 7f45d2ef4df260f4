/** Who publishes the package stands in one place, and nothing is published while that is nobody. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { describeFault, placeholdersIn, withAddress, withPublisher } from '../scripts/publisher.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (path: string): string => readFileSync(root + path, 'utf8')

const ACME = {
  repository: 'https://code.example/acme/sallyport',
  homepage: 'https://sallyport.example',
  address: 'security@acme.example',
}

describe('package.json', () => {
  const { repository, homepage, bugs, scripts } = JSON.parse(read('package.json'))

  it('says repository, homepage and bugs', () => {
    expect(repository).toEqual({ type: 'git', url: expect.stringMatching(/^git\+https:\/\/.+\.git$/) })
    expect(homepage).toMatch(/^https:\/\//)
    expect(bugs).toEqual({ url: expect.stringMatching(/^https:\/\/.+\/issues$/), email: expect.stringMatching(/@/) })
    expect(read('SECURITY.md')).toContain(`<${bugs.email}>`)
  })

  it('is not published before the placeholders are asked for', () => {
    expect(scripts.prepublishOnly).toMatch(/^npm run publisher && /)
  })

  it('is filled in one step, and holds no placeholder then', () => {
    const filled = withPublisher(read('package.json'), ACME)
    expect(placeholdersIn(filled)).toEqual([])
    expect(JSON.parse(filled)).toMatchObject({
      repository: { type: 'git', url: 'git+https://code.example/acme/sallyport.git' },
      homepage: 'https://sallyport.example',
      bugs: { url: 'https://code.example/acme/sallyport/issues', email: 'security@acme.example' },
    })
    expect(withPublisher(filled, ACME)).toBe(filled)
  })
})

it('SECURITY.md is filled in the same step', () => {
  const filled = withAddress(read('SECURITY.md'), ACME.address)
  expect(placeholdersIn(filled)).toEqual([])
  expect(filled).toContain('<security@acme.example>')
})

it('placeholders are names below .invalid, each once', () => {
  const text =
    '"git+https://repository.invalid/a.git" <a@b.invalid> https://repository.example invalid.example a@b.invalid'
  expect(placeholdersIn(text)).toEqual(['git+https://repository.invalid/a.git', 'a@b.invalid'])
})

it.each([
  [ACME, null],
  [{ ...ACME, repository: 'http://code.example/acme' }, 'repository: an https URL'],
  [{ ...ACME, repository: 'https://code.example/acme.git' }, 'repository: without .git or a slash at its end'],
  [{ ...ACME, homepage: 'sallyport.example' }, 'homepage: an https URL'],
  [{ ...ACME, homepage: 'https://me:word@sallyport.example' }, 'homepage: an https URL'],
  [{ ...ACME, address: 'acme.example' }, 'address: an e-mail address'],
  [{ ...ACME, address: 'security@publisher.invalid' }, 'no placeholders'],
  [{}, 'repository: an https URL'],
])('of %o is wrong: %s', (given, fault) => {
  expect(describeFault(given)).toBe(fault)
})
