/**
 * A secret as environments bring it: with the newline of `echo`, the carriage return of a Windows file, the quotes of an
 * env file. Each can only mean that every token will be refused: say so at construction.
 */
import { load, verdict } from './lib.mjs'

const { createJwtVerifier } = await load('index')
const secret = 'Zx81-kd93-hhwq-0192-qqqq-lsdk-29sk'
const lines = []
let isOk = true
for (const [name, text] of Object.entries({
  newline: `${secret}\n`,
  'carriage return': `${secret}\r`,
  'leading space': ` ${secret}`,
  quotes: `"${secret}"`,
})) {
  let said = 'accepted'
  try {
    createJwtVerifier({
      issuers: [{ issuer: 'https://idp.example.test', keys: [{ kind: 'secret', secret: text }], audience: null }],
    })
  } catch (error) {
    said = `${error.name}${error.message.includes(secret) ? ', WITH the secret in it' : ''}`
  }
  if (said !== 'OptionsError') isOk = false
  lines.push(`${name}: ${said}`)
}
verdict(isOk, ...lines)
